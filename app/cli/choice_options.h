// SPDX-License-Identifier: GPL-3.0-or-later
// What `evaluate` and `bench` measure: methods with each of the counts asked for, or with the
// counts that bring them to the FLOPs asked for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"
#include "options.h"

namespace adamerge::cli {

/// "DSM, r 60, d 4 comes no nearer to 2.100 G than 2.433 G", of a match that is not near.
std::string noNearer(const std::string& name, const TierMatch& match);

class ChoiceOptions {
 public:
  void addTo(CLI::App& command);
  /// On how many images of a set --flops finds a count, for a command that has a set.
  void addSampleSizeTo(CLI::App& command);
  /// Throws UsageError: lists that are none, methods that do not exist, settings and counts that no
  /// method takes.
  void check() const;
  /// How settings are searched for; empty where none are.
  std::string chosenBy(unsigned seed) const;
  /// Where FLOPs are to be matched, takes what is among `found`, what an earlier make() gave; else
  /// loads images of `dataset` and tells what it finds.
  std::vector<MeasuredChoice> make(const Engine& engine, const Dataset& dataset, unsigned seed,
                                   std::span<const MeasuredChoice> found, bool print,
                                   Terminal& terminal, const std::stop_token& stop) const;
  /// The same on images at hand, all of them.
  std::vector<MeasuredChoice> make(const Engine& engine, std::span<const InputTensor> images,
                                   bool print, Terminal& terminal,
                                   const std::stop_token& stop) const;
  /// The methods, then the variants, before counts are chosen. Where none are named, all that run
  /// in `vit`; nullptr: it is not known yet.
  std::vector<MethodChoice> methodChoices(const VitConfig* vit) const;

 private:
  /// Throws Error where a setting is named that the model has no use for.
  void requireSuit(const Engine& engine) const;
  std::vector<std::string> methodList(const VitConfig* vit) const;
  std::vector<double> tiers() const;
  std::vector<MeasuredChoice> counted(const VitConfig* vit = nullptr) const;
  /// Throws UsageError where --flops has no count to choose.
  std::vector<MethodChoice> searchedMethods(const VitConfig* vit = nullptr) const;

  MethodOptions settings_;
  std::string methods_;
  std::vector<std::string> variants_;
  std::string r_;
  std::string r_max_;
  std::string ratio_;
  std::string flops_;
  std::size_t flops_images_ = 32;
};

}  // namespace adamerge::cli
