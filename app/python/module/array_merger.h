// SPDX-License-Identifier: GPL-3.0-or-later
// Merging methods on keys at hand, without a network.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "merging/method.h"
#include "options.h"

namespace adamerge::python {

/// Where the tokens come from that are merged.
struct MergePlace {
  int prefix = 0;                           ///< tokens that stay: class and register tokens
  std::optional<std::pair<int, int>> grid;  ///< rows and columns of patches; nullopt: a square
  int block = 0;
  int depth = 12;
};

struct TokenShape {
  std::int64_t count = 0;  ///< tokens, prefix included
  std::int64_t width = 0;
  std::int64_t patches = 0;  ///< of the picture, which earlier merges may have put together
};

/// `groups`: per patch the patch token that it is in, from 0; -1: dropped. Throws Error where they
/// are not those of so many patch tokens.
void checkGroups(const std::vector<int>& groups, std::int64_t tokens);

/// What a method made of one image's tokens.
struct MergedTokens {
  MergePlan plan;
  std::vector<int> positions;  ///< of every old token among the new ones; -1: dropped
  std::vector<float> sizes;
  std::vector<int> groups;
};

/// A method with its settings, made for tokens of one shape: that takes as long as merging few of
/// them, so it is kept. Never changes; threads may share it.
class ArrayMerger {
 public:
  /// Throws Error: a method that needs more than keys, settings, shapes.
  ArrayMerger(const std::string& method, const cli::WrittenSettings& settings,
              const TokenShape& shape, const MergePlace& place);

  const TokenShape& shape() const { return shape_; }
  /// A file is part of it, which may change.
  bool readsFile() const { return reads_file_; }

  /// What was merged earlier.
  struct Before {
    std::vector<float> sizes;
    std::vector<int> patch_tokens;  ///< per patch the position of its token; -1: dropped
  };
  const Before& nothingBefore() const { return own_; }
  /// Throws what checkGroups() throws.
  Before before(const std::vector<int>& groups) const;

  /// `tokens`: [count, width], read where they lie. Throws Error: numbers that are not finite.
  MergedTokens merge(const at::Tensor& tokens, const Before& before) const;

 private:
  TokenShape shape_;
  MergePlace place_;
  std::unique_ptr<const MergeMethod> method_;
  bool acts_ = false;
  bool reads_file_ = false;
  Before own_;
};

}  // namespace adamerge::python
