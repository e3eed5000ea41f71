// SPDX-License-Identifier: GPL-3.0-or-later
// Names and writes the figures of `inspect`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::cli {

class FigureOptions {
 public:
  void addTo(CLI::App& command);
  /// Throws UsageError, and Error for the folder. Call once after parsing. `no_salience`: why there
  /// is none to show; empty: there is. `compares`: there is a second run to differ from.
  void check(const std::string& no_salience, bool compares);
  bool wanted() const { return !kinds_.empty(); }
  /// Of --layer, as given; empty: it was not.
  const std::vector<int>& layers() const { return layers_; }
  const std::vector<std::string>& kinds() const { return kinds_; }
  /// Kinds that cannot be shown are left out, not refused.
  bool all() const { return all_; }
  OverlayKind overlay() const { return style_.overlay.kind; }
  /// Whether a figure shows what a lens does.
  bool showsLens() const;
  /// What a figure of that kind shows of its blocks.
  OverlayKind content(const std::string& kind) const;

  /// Gives a figure of that kind and block what it alone has, whatever the one before had: lens,
  /// subtitle, provenance.
  using Complete = std::function<void(FigureInput& input, const std::string& kind, int block)>;

  /// Writes every chosen figure of one image, those of one block for each of layers(), and returns
  /// the files. `stem` names the image; a stem used before gets a number.
  std::vector<std::filesystem::path> write(FigureInput input, const std::string& stem,
                                           const Complete& complete);

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
  std::string layer_list_;
  std::vector<int> layers_;
  std::set<std::string> used_stems_;
};

}  // namespace adamerge::cli
