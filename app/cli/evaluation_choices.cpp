// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation_choices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "adamerge/preprocess.h"
#include "adamerge/report.h"
#include "adamerge/schedule.h"
#include "number_list.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr double kNear = 0.02;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(',', start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

std::vector<InputTensor> readSample(const Dataset& dataset, const Preprocessing& preprocessing,
                                    const std::stop_token& stop) {
  std::vector<InputTensor> inputs;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    throwIfStopped(stop);
    try {
      inputs.push_back(prepareImage(dataset.load(i), preprocessing).input);
    } catch (const Error&) {
      // The evaluation itself names it.
    }
  }
  if (inputs.empty()) {
    throw Error(fmt::format("{}: no image could be read to measure FLOPs on", dataset.name()));
  }
  return inputs;
}

}  // namespace

void EvaluationChoices::addTo(CLI::App& command) {
  takesText(*command.add_option("--methods,--method", methods_,
                                fmt::format("As adamerge,tome, of {} (default: all); the unmerged "
                                            "model is always measured",
                                            fmt::join(methodIds(), ", "))),
            "LIST");
  CLI::Option* r_max = command.add_option(
      "--r-max", r_max_, "Counts for AdaMerge, as 8,12,16 or 1:23 or 1:23:2 (default: its own)");
  CLI::Option* r = command.add_option(
      "--r", r_, "Counts for the methods with a constant count, in the same form");
  CLI::Option* flops = command.add_option(
      "--flops", flops_,
      "Instead of counts: G of the paper's convention, as 0.9,0.75; each method gets the count "
      "that comes nearest");
  for (CLI::Option* option : {r_max, r, flops}) takesText(*option, "LIST");
  flops->excludes(r)->excludes(r_max);
  takesWholeNumber(
      *command
           .add_option("--flops-images", flops_images_,
                       "Images of the set, drawn at random, on which --flops finds a count that "
                       "depends on the image (default 32)")
           ->needs(flops),
      1);
  settings_.addSettingsTo(command, {"r", "r_max"});
}

std::vector<std::string> EvaluationChoices::methodList() const {
  std::vector<std::string> known = methodIds();
  if (methods_.empty()) return known;
  std::vector<std::string> list;
  for (const std::string& id : split(methods_)) {
    if (std::find(known.begin(), known.end(), id) == known.end()) {
      throw UsageError(
          fmt::format("--methods takes a list of {}, not '{}'", fmt::join(known, ", "), methods_));
    }
    if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
  }
  return list;
}

std::vector<double> EvaluationChoices::tiers() const {
  std::vector<double> list;
  if (flops_.empty()) return list;
  for (const std::string& part : split(flops_)) {
    double value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || !(value > 0) ||
        !std::isfinite(value)) {
      throw UsageError(fmt::format("--flops takes numbers above 0 as 0.9,0.75, not '{}'", flops_));
    }
    list.push_back(value);
  }
  return list;
}

std::vector<EvaluationChoice> EvaluationChoices::withCounts() const {
  std::vector<EvaluationChoice> list;
  std::string unused_r = r_;
  std::string unused_r_max = r_max_;
  for (const MethodChoice& base : settings_.choices(methodList())) {
    const CompressionKnob* knob = compressionKnob(base);
    if (knob == nullptr) {
      list.push_back({base, std::nullopt});
      continue;
    }
    const bool constant = knob->key == "r";
    const std::string& text = constant ? r_ : r_max_;
    if (text.empty()) {
      list.push_back({base, std::nullopt});
      continue;
    }
    (constant ? unused_r : unused_r_max).clear();
    for (const int count : parseNumberList("--" + optionName(knob->key), text)) {
      MethodChoice choice = base;
      choice.settings[knob->key] = std::int64_t{count};
      completeSettings(choice);
      list.push_back({choice, std::nullopt});
    }
  }
  if (!unused_r.empty() || !unused_r_max.empty()) {
    throw UsageError(fmt::format("--{}: none of {} takes it under these settings",
                                 unused_r.empty() ? "r-max" : "r", fmt::join(methodList(), ", ")));
  }
  return list;
}

void EvaluationChoices::check() const {
  tiers();
  withCounts();
}

std::vector<EvaluationChoice> EvaluationChoices::make(const Engine& engine, const Dataset& dataset,
                                                      unsigned seed, bool print, Terminal& terminal,
                                                      const std::stop_token& stop) const {
  const std::vector<double> targets = tiers();
  if (targets.empty()) return withCounts();
  const std::vector<InputTensor> inputs =
      readSample(dataset.sample(flops_images_, seed), engine.info().preprocessing, stop);
  std::vector<EvaluationChoice> list;
  for (const double target : targets) {
    for (const MethodChoice& base : settings_.choices(methodList())) {
      if (compressionKnob(base) == nullptr) continue;
      // A constant count costs the same on every image.
      const bool varies = !findMethod(base.method).statistics_settings.empty();
      const std::span<const InputTensor> images(inputs.data(), varies ? inputs.size() : 1);
      const SchedulePoint point =
          matchFlops(engine, images, base, target, terminal.callback(), stop);
      MethodChoice choice = base;
      choice.settings[point.key] = std::int64_t{point.value};
      list.push_back({choice, target});
      terminal.clearBar();
      if (print) {
        fmt::print("{:.3f} G: {} costs {:.3f} G{}\n", target, describe(choice), point.flops.paper,
                   varies ? fmt::format(", mean of {} image(s)", images.size()) : "");
      }
      if (std::abs(point.flops.paper - target) > kNear * target) {
        terminal.warn(fmt::format("{} comes no nearer to {:.3f} G than {:.3f} G", describe(choice),
                                  target, point.flops.paper));
      }
    }
  }
  if (list.empty()) throw UsageError("--flops: none of the methods has a count to choose");
  return list;
}

}  // namespace adamerge::cli
