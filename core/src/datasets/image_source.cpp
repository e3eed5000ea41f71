// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "adamerge/preprocess.h"

namespace adamerge {

void addImageNote(std::vector<std::string>& notes, const std::string& note) {
  constexpr std::size_t kNamed = 3;
  if (notes.size() > kNamed || std::find(notes.begin(), notes.end(), note) != notes.end()) return;
  notes.push_back(notes.size() < kNamed ? note : "more images are like these");
}

ImageSource::ImageSource(Dataset images, const Preprocessing& preprocessing, Listener unreadable,
                         Listener noted)
    : images_(std::move(images)),
      preprocessing_(preprocessing),
      unreadable_(std::move(unreadable)),
      noted_(std::move(noted)) {}

std::vector<InputTensor> ImageSource::read(std::size_t first, std::size_t count,
                                           const std::stop_token& stop) {
  std::vector<InputTensor> inputs;
  const std::size_t end = std::min(size(), first + std::min(count, size()));
  for (std::size_t i = first; i < end; ++i) {
    throwIfStopped(stop);
    if (skipped_.contains(i)) continue;
    try {
      const Image image = images_.load(i);
      inputs.push_back(prepareImage(image, preprocessing_).input);
      if (image.note.empty()) continue;
      const std::size_t before = notes_.size();
      addImageNote(notes_, fmt::format("{}: {}", images_.imageName(i), image.note));
      if (noted_ && notes_.size() > before) noted_(notes_.back());
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
