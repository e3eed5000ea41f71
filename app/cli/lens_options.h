// SPDX-License-Identifier: GPL-3.0-or-later
// What `inspect` asks the lenses: which token, which head, the raw numbers.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/figures.h"
#include "adamerge/report.h"

namespace adamerge::cli {

class LensOptions {
 public:
  void addTo(CLI::App& command);
  /// Before the model is loaded. Throws UsageError, and Error for the file.
  void check(std::size_t images) const;
  /// Whether `figures` show what the model has. Throws Error: a patch outside the grid, a head that
  /// is not there, attention without a token to look from.
  void check(const ModelInfo& model, const std::vector<std::string>& figures, OverlayKind overlay,
             bool all) const;

  /// Whether a token or a head was named.
  bool given() const { return !patch_.empty() || head_ >= 0 || looked_at_; }
  /// The token asked for: the patch, or the class token; nullopt: the model has none.
  std::optional<LensToken> token(const VitConfig& vit) const;
  LensQuery query(LensKind kind, const VitConfig& vit) const;
  /// What a figure `kind` of `block` with that content shows, change from the run that `report` is
  /// compared with where there is one; nullptr: of that kind there is nothing to show here. Throws
  /// Error, Cancelled.
  std::shared_ptr<const LensPictures> pictures(const std::string& kind, OverlayKind content,
                                               const InspectReport& report, const VitConfig& vit,
                                               int block, const std::stop_token& stop) const;
  /// Nothing where no file was named.
  void writeTensors(const InspectReport& report, const ModelInfo& model,
                    const std::vector<int>& blocks, const std::stop_token& stop) const;

 private:
  std::string patch_;
  int head_ = -1;
  bool looked_at_ = false;
  std::string tensors_;
};

}  // namespace adamerge::cli
