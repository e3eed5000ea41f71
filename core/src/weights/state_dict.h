// SPDX-License-Identifier: GPL-3.0-or-later
// Reading weight files into named tensors.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/error.h"
#include "weights/weight_sets.h"

namespace adamerge {

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

}  // namespace adamerge
