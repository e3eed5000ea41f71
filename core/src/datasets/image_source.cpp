// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "adamerge/preprocess.h"

namespace adamerge {

ImageSource::ImageSource(Dataset images, const Preprocessing& preprocessing,
                         std::function<void(const std::string&)> unreadable)
    : images_(std::move(images)),
      preprocessing_(preprocessing),
      unreadable_(std::move(unreadable)) {}

std::vector<InputTensor> ImageSource::read(std::size_t first, std::size_t count,
                                           const std::stop_token& stop) {
  std::vector<InputTensor> inputs;
  const std::size_t end = std::min(size(), first + std::min(count, size()));
  for (std::size_t i = first; i < end; ++i) {
    throwIfStopped(stop);
    if (skipped_.contains(i)) continue;
    try {
      inputs.push_back(prepareImage(images_.load(i), preprocessing_).input);
    } catch (const Error& error) {
      skipped_.insert(i);
      if (unreadable_) unreadable_(error.what());
    }
  }
  return inputs;
}

std::vector<InputTensor> ImageSource::readAll(const std::stop_token& stop) {
  std::vector<InputTensor> inputs = read(0, size(), stop);
  if (inputs.empty()) throw Error(fmt::format("{}: no image could be read", images_.name()));
  return inputs;
}

}  // namespace adamerge
