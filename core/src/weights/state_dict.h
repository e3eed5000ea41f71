// SPDX-License-Identifier: GPL-3.0-or-later
// Reading weight files into named tensors.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "adamerge/error.h"

namespace adamerge {

/// Tensors by the names the file gives them: CPU, fp32, fp16 or bf16 (integer and fp64 tensors as
/// they are), any shape. Storage may be the memory-mapped file itself, kept alive by the tensors;
/// never write to them.
using StateDict = std::map<std::string, at::Tensor, std::less<>>;

/// Reads `.safetensors`, a sharded `*.safetensors.index.json` with its shards, or a PyTorch zip
/// checkpoint (`.pth`, `.pt`, `.bin`; a state dict itself, or under `model`, `state_dict` or
/// `model_ema`, with or without a `module.` prefix, which is removed). The content decides, not the
/// extension. No code in a pickle is ever executed.
/// Throws Error: missing, unreadable, truncated, malformed, anything but tensors in the pickle.
StateDict readWeights(const std::filesystem::path& path, const ProgressCallback& progress = {},
                      const std::stop_token& stop = {});

}  // namespace adamerge
