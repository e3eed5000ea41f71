// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/picture_inputs.h"

#include <algorithm>
#include <span>

namespace adamerge::ui {
namespace {

/// A prepared picture takes under a megabyte; the original is not held.
constexpr std::size_t kKept = 8;

}  // namespace

PictureInputs::Entry& PictureInputs::entry(const LoadedModel& model, const Picture& picture) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.model == model.id && entry.picture == picture.id;
  });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front();
  }
  Entry made{model.id, picture.id, nullptr, nullptr};
  made.prepared = std::make_shared<const PreparedImage>(
      prepareImage(*picture.original, model.info.preprocessing));
  entries_.push_front(std::move(made));
  if (entries_.size() > kKept) entries_.pop_back();
  return entries_.front();
}

std::shared_ptr<const PreparedImage> PictureInputs::prepared(const LoadedModel& model,
                                                             const Picture& picture) {
  return entry(model, picture).prepared;
}

std::shared_ptr<const ImageResult> PictureInputs::baseline(const Engine& engine,
                                                           const LoadedModel& model,
                                                           const Picture& picture,
                                                           const std::stop_token& stop) {
  Entry& kept = entry(model, picture);
  if (kept.baseline == nullptr) {
    std::vector<ImageResult> results =
        engine.run(std::span(&kept.prepared->input, 1), MethodChoice{}, {}, stop);
    kept.baseline = std::make_shared<const ImageResult>(std::move(results.front()));
  }
  return kept.baseline;
}

}  // namespace adamerge::ui
