// SPDX-License-Identifier: GPL-3.0-or-later
// Python's pickle format as data: nothing is imported, built or called. What a state dict needs
// becomes values; every other class and function is an object that is only named.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adamerge::pickle {

/// Position in Document::values. Values refer to each other by position, so that neither deep
/// nesting nor cycles make anything recurse, and nothing is ever copied.
using Index = std::uint32_t;

struct Nothing {};  ///< None, bytes, and numbers too long to matter
struct Sequence {   ///< tuple, list or set
  bool tuple = false;
  std::vector<Index> items;
};
struct Dict {
  std::vector<std::pair<Index, Index>> items;
};
enum class Callable : std::uint8_t { kDict, kRebuildTensor, kRebuildParameter, kRebuildFromType };
/// A class or function that is not one of those.
struct Class {
  Index module;  ///< a text
  Index name;    ///< a text
};
/// An instance of a class, or what a function would have returned.
struct Object {
  Index type;
  std::optional<Index> attributes;  ///< a Dict
};
struct StorageType {
  at::ScalarType type;  ///< Undefined: one that is not supported
  Index name;           ///< a text, "FloatStorage"
};
struct Storage {
  Index type;  ///< a StorageType
  Index key;   ///< a text
  std::int64_t count;
};
struct Tensor {
  Index storage;
  std::int64_t offset;
  Index shape;   ///< a tuple
  Index stride;  ///< a tuple
};

using Value = std::variant<Nothing, bool, std::int64_t, double, std::string, Sequence, Dict,
                           Callable, Class, Object, StorageType, Storage, Tensor>;

struct Document {
  std::vector<Value> values;
  Index root = 0;

  template <class T>
  const T* get(Index index) const {
    return std::get_if<T>(&values[index]);
  }
  /// "argparse.Namespace"; empty for what is no instance of a class.
  std::string className(Index index) const;
  /// "a number", "a list", "argparse.Namespace": for messages.
  std::string description(Index index) const;
};

/// Throws Error, with `file` in its message: truncated, malformed, an opcode that torch.save does
/// not write. Memory and time are bounded by the size of `bytes`.
Document parse(std::span<const std::uint8_t> bytes, const std::string& file);

}  // namespace adamerge::pickle
