// SPDX-License-Identifier: GPL-3.0-or-later
#include "choice_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "adamerge/report.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(',', start);
    std::string part = text.substr(start, end - start);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    parts.push_back(std::move(part));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

/// Says what was found for a tier, and where that is not near.
std::function<void(const TierMatch&)> teller(bool print, Terminal& terminal) {
  return [print, &terminal](const TierMatch& match) {
    terminal.clearBar();
    const double target = *match.choice.tier;
    const std::string name = describe(match.choice.choice);
    if (print) {
      fmt::print("{:.3f} G: {} costs {:.3f} G{}\n", target, name, match.flops.paper,
                 match.images > 1 ? fmt::format(", mean of {} images", match.images) : "");
    }
    if (!match.near()) {
      terminal.warn(noNearer(name, match));
    }
  };
}

}  // namespace

std::string noNearer(const std::string& name, const TierMatch& match) {
  return fmt::format("{} comes no nearer to {:.3f} G than {:.3f} G", name, *match.choice.tier,
                     match.flops.paper);
}

void ChoiceOptions::addTo(CLI::App& command) {
  takesText(
      *command.add_option(
          "--methods,--method", methods_,
          fmt::format("As adamerge,tome, of {} (default: all that the model can run); the unmerged "
                      "model is always measured",
                      fmt::join(methodIds(), ", "))),
      "LIST");
  command
      .add_option("--variant", variants_,
                  "A method under settings of its own, as \"adamerge salience=off adaptive=off "
                  "r=8\" (and stats=FILE); may be given again. Without --methods only these")
      ->type_name("TEXT")
      ->take_all();
  CLI::Option* r_max = command.add_option(
      "--r-max", r_max_, "Counts for AdaMerge, as 8,12,16 or 1:23 or 1:23:2 (default: its own)");
  CLI::Option* r = command.add_option(
      "--r", r_, "Counts for the methods with a constant count, in the same form");
  CLI::Option* flops = command.add_option(
      "--flops", flops_,
      "Instead of counts: G of the paper's convention, as 0.9,0.75; each method gets the count "
      "that comes nearest");
  CLI::Option* ratio = command.add_option(
      "--ratio", ratio_, "Ratios in per cent, as 10,30,50 or 10:50:10 (default: the method's own)");
  for (CLI::Option* option : {r_max, r, ratio, flops}) takesText(*option, "LIST");
  flops->excludes(r)->excludes(r_max)->excludes(ratio);
  settings_.addSettingsTo(command, {"r", "r_max", "ratio"});
}

void ChoiceOptions::addSampleSizeTo(CLI::App& command) {
  takesWholeNumber(
      *command
           .add_option("--flops-images", flops_images_,
                       "Images of the set, drawn at random, on which --flops finds a count that "
                       "depends on the image (default 32)")
           ->needs(command.get_option("--flops")),
      1);
}

std::vector<std::string> ChoiceOptions::methodList(const VitConfig* vit) const {
  std::vector<std::string> known = methodIds();
  if (methods_.empty()) {
    if (!variants_.empty()) return {};
    if (vit != nullptr) std::erase_if(known, [&](const auto& id) { return !runsIn(id, *vit); });
    return known;
  }
  std::vector<std::string> list;
  for (const std::string& part : split(methods_)) {
    const std::string id = methodNamed(part);
    if (std::find(known.begin(), known.end(), id) == known.end()) {
      throw UsageError(
          fmt::format("--methods takes a list of {}, not '{}'", fmt::join(known, ", "), methods_));
    }
    if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
  }
  return list;
}

std::vector<double> ChoiceOptions::tiers() const {
  if (flops_.empty()) return {};
  return asUsage([&] { return parseTiers("--flops", flops_); });
}

std::vector<MethodChoice> ChoiceOptions::methodChoices(const VitConfig* vit) const {
  std::vector<MethodChoice> list = settings_.choices(methodList(vit));
  for (const std::string& variant : variants_) list.push_back(parseVariant(variant, "--variant"));
  return list;
}

void ChoiceOptions::requireSuit(const Engine& engine) const {
  for (const MethodChoice& choice : methodChoices(&engine.info().vit)) {
    requireSettingsSuit(choice, engine.info().vit, engine.info().name, /*strict=*/true);
  }
}

std::vector<MeasuredChoice> ChoiceOptions::counted(const VitConfig* vit) const {
  const std::vector<MethodChoice> methods = methodChoices(vit);
  Counts counts;
  const auto add = [&](const std::string& key, const std::string& text) {
    if (text.empty()) return;
    const bool taken = std::any_of(methods.begin(), methods.end(), [&](const MethodChoice& method) {
      return countKey(method, {{key, {}}}) == key;
    });
    if (!taken) {
      throw UsageError(fmt::format("--{}: none of {} takes it under these settings",
                                   optionName(key), fmt::join(methodList(vit), ", ")));
    }
    counts[key] = asUsage([&] { return parseCounts("--" + optionName(key), text); });
  };
  add("r", r_);
  add("r_max", r_max_);
  add("ratio", ratio_);
  return withCounts(methods, counts);
}

void ChoiceOptions::check() const {
  if (!flops_.empty()) searchedMethods();
  tiers();
  counted();
}

std::string ChoiceOptions::chosenBy(unsigned seed) const {
  if (flops_.empty()) return {};
  return fmt::format("--flops {} on {} images drawn by seed {}", fmt::join(tiers(), ","),
                     flops_images_, seed);
}

std::vector<MeasuredChoice> ChoiceOptions::make(const Engine& engine, const Dataset& dataset,
                                                unsigned seed,
                                                std::span<const MeasuredChoice> found, bool print,
                                                Terminal& terminal,
                                                const std::stop_token& stop) const {
  requireSuit(engine);
  if (flops_.empty()) return counted(&engine.info().vit);
  const std::vector<MethodChoice> methods = searchedMethods(&engine.info().vit);
  if (auto before = matchedBefore(found, methods, tiers())) return std::move(*before);
  return matchTiers(engine, dataset.sample(flops_images_, seed), methods, tiers(),
                    teller(print, terminal), terminal.callback(), stop);
}

std::vector<MeasuredChoice> ChoiceOptions::make(const Engine& engine,
                                                std::span<const InputTensor> images, bool print,
                                                Terminal& terminal,
                                                const std::stop_token& stop) const {
  requireSuit(engine);
  if (flops_.empty()) return counted(&engine.info().vit);
  return matchTiers(engine, images, searchedMethods(&engine.info().vit), tiers(),
                    teller(print, terminal), terminal.callback(), stop);
}

std::vector<MethodChoice> ChoiceOptions::searchedMethods(const VitConfig* vit) const {
  std::vector<MethodChoice> list = methodChoices(vit);
  const bool any = std::any_of(list.begin(), list.end(), [](const MethodChoice& method) {
    return compressionKnob(method) != nullptr;
  });
  if (!any) throw UsageError("--flops: none of the methods has a count to choose");
  return list;
}

}  // namespace adamerge::cli
