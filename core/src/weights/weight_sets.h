// SPDX-License-Identifier: GPL-3.0-or-later
// Which of the tensors in a file are the network's weights. Training scripts save them under keys
// of nested dicts and with prefixes before their names, several times over, and beside much else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace adamerge {

/// A tensor in a file, not read yet.
struct TensorPlace {
  std::string container;  ///< keys of the dicts that it lies in: "", "state_dict.", "opt.state.0."
  std::string name;       ///< its key in the innermost of them
  std::vector<std::int64_t> shape;
};

struct WeightSet {
  /// Names without wrappers, and positions in the list that was given.
  std::vector<std::pair<std::string, std::size_t>> tensors;
  std::string container;            ///< that they lie in
  std::vector<std::string> notes;   ///< what was chosen, taken off and passed over, in sentences
  std::vector<std::string> places;  ///< of all sets that there are: "state_dict.module."
};

/// Every ViT has one patch embedding. What stands before its name, however often nested, is a
/// wrapper (`module.`, `_orig_mod.`, `backbone.`) and is taken off; what lies outside of it is
/// passed over. Prefixes that belong to a family's own names stay (`vit.`, `vision_model.`,
/// `visual.`). Of several sets averaged weights come first, as in timm (`state_dict_ema`,
/// `model_ema`, a `teacher` with the student's shapes); `wanted` names another one by any of its
/// keys or prefixes ("state_dict", "student"). Where there is no patch embedding, the tensors of
/// one dict are taken whole.
/// Throws Error, with `file`: no tensors; several sets of which none comes first; no `wanted` set.
WeightSet chooseWeights(const std::vector<TensorPlace>& tensors, const std::string& file,
                        const std::string& wanted = {});

}  // namespace adamerge
