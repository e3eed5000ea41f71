// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/kept_results.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <span>

#include "bench/data.h"
#include "bench/traces.h"

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
  Entry made{model.id, picture.id, nullptr, nullptr, 0};
  Preprocessing how = model.info.preprocessing;
  if (picture.traced != nullptr && picture.traced->whole) {
    how.resize = Preprocessing::Resize::kExact;
    how.resize_height = how.crop_height;
    how.resize_width = how.crop_width;
  }
  made.prepared = std::make_shared<const PreparedImage>(prepareImage(*picture.original, how));
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
    const auto begin = std::chrono::steady_clock::now();
    std::vector<ImageResult> results =
        engine.run(std::span(&kept.prepared->input, 1), MethodChoice{}, {}, stop);
    kept.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    kept.baseline = std::make_shared<const ImageResult>(std::move(results.front()));
  }
  return kept.baseline;
}

namespace {

template <class T>
std::size_t bytesOf(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

std::size_t bytesOf(const Inspection& inspection) {
  std::size_t bytes = sizeof(Inspection) + bytesOf(inspection.result.logits);
  for (const LayerTrace& layer : inspection.result.layers) {
    bytes += sizeof(LayerTrace) + bytesOf(layer.salience) + bytesOf(layer.attention) +
             bytesOf(layer.groups) + bytesOf(layer.merges);
  }
  for (const std::vector<int>& survivors : inspection.survivors) bytes += bytesOf(survivors);
  return bytes;
}

/// The picture, and what is kept once for all its results.
std::size_t sharedBytes(const Inspection& inspection) {
  return bytesOf(inspection.picture->original->pixels) +
         static_cast<std::size_t>(inspection.picture->pixels.sizeInBytes()) +
         bytesOf(inspection.prepared->view.pixels) + bytesOf(inspection.prepared->input.values);
}

std::size_t hashOf(std::uint64_t model, std::uint64_t picture, const MethodChoice& choice) {
  std::size_t hash = std::hash<std::string>{}(choice.method);
  const auto mix = [&](std::size_t value) { hash = hash * 1099511628211U ^ value; };
  mix(model);
  mix(picture);
  for (const auto& [key, value] : choice.settings) mix(std::hash<std::string>{}(toText(value)));
  return hash;
}

}  // namespace

ResultCache::Results::iterator ResultCache::locate(const LoadedModel& model, const Picture& picture,
                                                   const MethodChoice& choice) {
  const auto bucket = by_hash_.find(hashOf(model.id, picture.id, choice));
  if (bucket == by_hash_.end()) return results_.end();
  for (const Results::iterator result : bucket->second) {
    const Inspection& kept = **result;
    if (kept.model->id == model.id && kept.picture->id == picture.id &&
        sameChoice(kept.choice, choice)) {
      return result;
    }
  }
  return results_.end();
}

InspectionPtr ResultCache::find(const LoadedModel& model, const Picture& picture,
                                const MethodChoice& choice) {
  const auto found = locate(model, picture, choice);
  if (found == results_.end()) return nullptr;
  results_.splice(results_.begin(), results_, found);
  return *found;
}

void ResultCache::insert(const InspectionPtr& inspection) {
  const auto kept = locate(*inspection->model, *inspection->picture, inspection->choice);
  if (kept != results_.end()) drop(kept);
  results_.push_front(inspection);
  by_hash_[hashOf(inspection->model->id, inspection->picture->id, inspection->choice)].push_back(
      results_.begin());
  result_bytes_ += bytesOf(*inspection);
  PictureUse& use = pictures_[inspection->picture->id];
  if (use.results++ == 0) {
    use.bytes = sharedBytes(*inspection);
    picture_bytes_ += use.bytes;
  }

  // The newest picture is open anyway, so its size does not drive its own results out.
  const auto over = [&] {
    return bytes() - pictures_[results_.front()->picture->id].bytes > limit_;
  };
  while (results_.size() > 1 && over()) drop(std::prev(results_.end()));
}

void ResultCache::drop(Results::iterator result) {
  const Inspection& inspection = **result;
  const auto bucket =
      by_hash_.find(hashOf(inspection.model->id, inspection.picture->id, inspection.choice));
  std::erase(bucket->second, result);
  if (bucket->second.empty()) by_hash_.erase(bucket);
  result_bytes_ -= bytesOf(inspection);
  const auto use = pictures_.find(inspection.picture->id);
  if (--use->second.results == 0) {
    picture_bytes_ -= use->second.bytes;
    pictures_.erase(use);
  }
  results_.erase(result);
}

void ResultCache::clear() {
  results_.clear();
  by_hash_.clear();
  pictures_.clear();
  result_bytes_ = 0;
  picture_bytes_ = 0;
}

}  // namespace adamerge::ui
