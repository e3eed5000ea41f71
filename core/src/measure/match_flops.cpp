// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/methods.h"

namespace adamerge {
namespace {

constexpr std::size_t kBatch = 8;

SchedulePoint measure(const Engine& engine, std::span<const InputTensor> images,
                      MethodChoice choice, const std::string& key, int value,
                      const std::stop_token& stop) {
  choice.settings[key] = std::int64_t{value};
  const PreparedMethod method = engine.prepare(choice, stop);
  SchedulePoint point;
  point.key = key;
  point.value = value;
  point.images = images.size();
  point.unmerged = unmergedFlops(engine.info().vit).paper;
  point.tokens_per_block.assign(static_cast<std::size_t>(engine.info().vit.depth), 0.0);
  const double share = 1.0 / static_cast<double>(images.size());
  for (std::size_t first = 0; first < images.size(); first += kBatch) {
    const auto batch = images.subspan(first, std::min(kBatch, images.size() - first));
    for (const ImageResult& image : engine.run(batch, method, {.trace = false}, stop)) {
      point.flops.paper += share * image.flops.paper;
      point.flops.total += share * image.flops.total;
      point.calibrated = point.calibrated && image.calibrated;
      for (std::size_t block = 0; block < image.layers.size(); ++block) {
        const LayerTrace& layer = image.layers[block];
        point.tokens_per_block[block] +=
            share * (engine.info().vit.restores() ? layer.tokens_inside : layer.tokens_in);
      }
    }
  }
  return point;
}

}  // namespace

SchedulePoint matchFlops(const Engine& engine, std::span<const InputTensor> images,
                         const MethodChoice& wanted, double target,
                         const ProgressCallback& progress, const std::stop_token& stop) {
  MethodChoice choice = wanted;  // a network's own settings tell its knob
  if (engine.info().vit.restores()) {
    requireSettingsSuit(wanted, engine.info().vit, engine.info().name);
    choice.settings = completeSettings(wanted, engine.info().vit);
  }
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) {
    throw Error(fmt::format(
        "the method '{}' has no count to choose under these settings: its FLOPs are fixed",
        choice.method));
  }
  if (!(target > 0) || !std::isfinite(target)) {
    throw Error(fmt::format("--flops takes a positive number of G, not {}", target));
  }
  if (images.empty()) throw Error("no image to measure FLOPs on");
  if (!usesStatistics(choice) && !knob->varies) images = images.first(1);

  const KnobRange range = knobRange(choice, engine.info().vit);
  int low = 0;
  int high = range.steps();
  const int total = std::bit_width(static_cast<unsigned>(high)) + 2;
  int done = 0;
  const auto at = [&](int step) {
    SchedulePoint point = measure(engine, images, choice, knob->key, range.at(step), stop);
    if (progress) progress({"matching FLOPs", std::min(++done, total), total});
    return point;
  };
  SchedulePoint below = at(low);
  SchedulePoint above = at(high);
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    SchedulePoint point = at(middle);
    if (point.flops.paper >= target) {
      low = middle;
      below = std::move(point);
    } else {
      high = middle;
      above = std::move(point);
    }
  }
  return std::abs(below.flops.paper - target) <= std::abs(above.flops.paper - target) ? below
                                                                                      : above;
}

}  // namespace adamerge
