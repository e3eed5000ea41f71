// SPDX-License-Identifier: GPL-3.0-or-later
// Reading weight files into named tensors, and which of the tensors in a file are the network's
// weights. Training scripts save them under keys of nested dicts and with prefixes before their
// names, several times over, and beside much else.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/error.h"
#include "weights/mapped_file.h"

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

/// Tensors by name: CPU, fp32, fp16 or bf16 (integer and fp64 tensors as they are), any shape.
/// Storage may be the memory-mapped file itself, kept alive by the tensors; never write to them.
using StateDict = std::map<std::string, at::Tensor, std::less<>>;

/// An opened weight file: what it holds, and a way to each tensor. Throws Error where a tensor is
/// of a type that is not supported or its data is damaged.
struct TensorFile {
  std::vector<TensorPlace> tensors;
  std::function<at::Tensor(std::size_t)> read;  ///< the tensor at this position of `tensors`
  struct Other {
    std::string container;
    std::string name;
    std::string kind;  ///< "a dict", "a number"; of an object its class, "argparse.Namespace"
    bool object = false;
  };
  std::vector<Other> others;  ///< what is no tensor
  /// Truth values, numbers, texts and flat lists of them that lie in the outermost dict, or one
  /// dict or argparse.Namespace below it: {"meta": {"CLASSES": [...]}}. Null: a format without
  /// them.
  std::shared_ptr<const nlohmann::json> values;
  bool torchscript = false;
};

/// A network's tensors by the names its library gave them: dicts around them and the prefixes of
/// training wrappers are gone, see chooseWeights.
struct LoadedWeights {
  StateDict tensors;
  std::vector<std::string> notes;  ///< which set was taken, and what was taken off or passed over
  std::string file;                ///< for messages
  bool torchscript = false;        ///< an archive of torch.jit.save, of which nothing is run
  std::shared_ptr<const nlohmann::json> values;  ///< as TensorFile's
};

/// Reads `.safetensors`, a sharded `*.index.json` with its shards, and the zip archives of
/// torch.save and torch.jit.save (`.pth`, `.pt`, `.bin`, `.ckpt`, `.pth.tar`). The content decides,
/// not the extension. No code in a file is ever executed, and no object but tensors is built.
/// `wanted` names one of several sets of weights.
/// Throws Error: missing, unreadable, truncated, malformed, no weights in it, several sets of
/// weights of which none comes first.
LoadedWeights readWeights(const std::filesystem::path& path, const ProgressCallback& progress = {},
                          const std::stop_token& stop = {}, const std::string& wanted = {});

/// What a file of another program's format is by its extension, and what to do: "is an ONNX
/// network; ...". Empty for all that may be weights.
std::string_view foreignWeights(const std::filesystem::path& file);

/// A zip archive of torch.save or torch.jit.save. Tensors that share a storage in the file share it
/// here. Of a TorchScript archive the object that data.pkl holds is read: a tensor's name is the
/// path of attributes to it. Throws Error: damaged, no such archive, no tensors in it.
TensorFile openCheckpoint(const std::shared_ptr<const MappedFile>& file);

}  // namespace adamerge
