// SPDX-License-Identifier: GPL-3.0-or-later
// The part of Python's pickle format that a state dict needs. Data only: nothing is ever called,
// and any name outside a short list is refused.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace adamerge::pickle {

/// Position in Document::values. Values refer to each other by position, so that neither deep
/// nesting nor cycles make anything recurse.
using Index = std::uint32_t;

struct Nothing {};  ///< None, and numbers too long to matter
struct Sequence {   ///< tuple or list
  bool tuple = false;
  std::vector<Index> items;
};
struct Dict {
  std::vector<std::pair<Index, Index>> items;
};
enum class Callable { kOrderedDict, kRebuildTensor, kRebuildParameter };
struct StorageType {
  at::ScalarType type;
};
struct Storage {
  at::ScalarType type;
  std::string key;
  std::int64_t count;
};
struct Tensor {
  Storage storage;
  std::int64_t offset;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;
};

using Value = std::variant<Nothing, bool, std::int64_t, double, std::string, Sequence, Dict,
                           Callable, StorageType, Storage, Tensor>;

/// "a number", "a list": for messages.
std::string_view kindName(const Value& value);

struct Document {
  std::vector<Value> values;
  Index root = 0;

  template <class T>
  const T* get(Index index) const {
    return std::get_if<T>(&values[index]);
  }
};

/// Throws Error, with `file` in its message: truncated, malformed, an opcode or a name that no
/// state dict has.
Document parse(std::span<const std::uint8_t> bytes, const std::string& file);

}  // namespace adamerge::pickle
