// SPDX-License-Identifier: GPL-3.0-or-later
// Names and writes the figures of `inspect`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::cli {

class FigureOptions {
 public:
  void addTo(CLI::App& command);
  /// Throws UsageError, and Error for the folder. Call once after parsing. `no_salience`: why there
  /// is none to show; empty: there is.
  void check(const std::string& no_salience);
  bool wanted() const { return !kinds_.empty(); }
  bool layerGiven() const { return layer_option_->count() > 0; }
  int layer() const { return layer_; }

  /// Writes every chosen figure of one image and returns the files. `stem` names the image; a stem
  /// used before gets a number.
  std::vector<std::filesystem::path> write(const FigureInput& input, const std::string& stem);

 private:
  std::vector<std::string> kinds_;
  bool all_ = false;  ///< not named one by one: kinds a method cannot show are left out
  std::string folder_;
  std::string format_ = "png";
  std::string colormap_ = "viridis";
  std::string scale_ = "percentile";
  std::string overlay_ = "groups";
  std::string background_ = "light";
  FigureStyle style_;
  int layer_ = -1;
  CLI::Option* layer_option_ = nullptr;
  std::set<std::string> used_stems_;
};

}  // namespace adamerge::cli
