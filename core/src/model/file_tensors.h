// SPDX-License-Identifier: GPL-3.0-or-later
// The tensors of a weight file on their way from the names its library gives them to those of
// model/network.h. Remembers the names in the file, so that messages can use them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/state_dict.h"

namespace adamerge {

/// From, to: names by whole segments, of which "*" stands for a number; what follows (".weight")
/// is kept. "layers.*.mlp.fc1" -> "blocks.*.mlp.fc1".
using Renaming = std::pair<std::string_view, std::string_view>;

class FileTensors {
 public:
  /// `values`: what the file says beside its tensors; may be null.
  FileTensors(StateDict tensors, std::string file,
              std::shared_ptr<const nlohmann::json> values = nullptr);

  const std::string& file() const { return file_; }
  const StateDict& all() const { return tensors_; }
  /// See TensorFile::values; an empty object where there are none.
  const nlohmann::json& values() const;
  bool has(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
  /// The first tensor whose name has this pattern; empty: none.
  std::string first(std::string_view pattern) const;
  /// Undefined where there is none.
  at::Tensor find(std::string_view name) const;
  /// Removes and returns it; undefined where there is none.
  at::Tensor take(std::string_view name);
  /// `original`: the names that it was made of, for messages.
  void set(const std::string& name, at::Tensor tensor, std::string original);

  /// Takes the prefix off all names that have it.
  void removePrefix(std::string_view prefix);
  /// Keeps only names with the prefix, and takes it off.
  void keepBelow(std::string_view prefix);
  /// The first pattern that fits a name renames it. Throws Error where two tensors get one name.
  void rename(std::span<const Renaming> table);
  /// Leaves out what has this pattern: of no use here.
  void drop(std::string_view pattern);
  /// `parts`, all of them or none, one below the other become `to`. Throws Error for a part that is
  /// missing or of another shape or type.
  void join(std::span<const std::string> parts, const std::string& to);
  /// How the file calls the tensor, or would call it.
  std::string inFile(const std::string& name) const;
  /// What was left out, in a sentence; empty: nothing.
  std::string droppedNote() const;
  [[noreturn]] void fail(const std::string& problem) const;

  StateDict release() { return std::move(tensors_); }

 private:
  StateDict tensors_;
  std::string file_;
  std::shared_ptr<const nlohmann::json> values_;
  std::map<std::string, std::string, std::less<>> original_;
  struct Rule {
    std::string from, to;
    bool used = false;  ///< it has renamed a tensor of this file
  };
  /// The name that the first `count` rules turned into `name`.
  std::string before(const std::string& name, std::size_t count) const;
  std::vector<Rule> rules_;  ///< all of rename(), in order
  std::string prefix_;
  std::vector<std::string> dropped_;
};

/// In every block: queries, keys and values that stand apart (q_proj, k_proj, v_proj, or biases
/// q_bias and v_bias beside qkv.weight) become qkv; without `key_bias`, keys that have none get one
/// of zeros, which changes nothing. gate (fc1_g) and up (fc1_x) become fc1.
void joinProjections(FileTensors& tensors, bool key_bias);

/// DINOv2's position table covers class token and patches, not the registers between them; timm's
/// covers all or nothing. The class token's row is added to it.
void foldClassPosition(FileTensors& tensors);

}  // namespace adamerge
