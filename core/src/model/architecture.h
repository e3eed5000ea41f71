// SPDX-License-Identifier: GPL-3.0-or-later
// Finding a network's architecture in its tensors, in parts.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/error.h"
#include "model/file_tensors.h"
#include "model/model_config.h"

namespace adamerge {

/// The architecture that the tensors (names of model/network.h) show, completed by the config.
/// Throws Error: tensors and config disagree, or neither decides something.
VitConfig findArchitecture(const FileTensors& tensors, const ModelConfig& config,
                           const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes);

/// What the tensors show, and whether the config says the same.
class TensorReader {
 public:
  TensorReader(const FileTensors& tensors, const ModelConfig& config)
      : tensors_(tensors), config_(config) {}

 protected:
  [[noreturn]] void fail(const std::string& problem) const { tensors_.fail(problem); }

  bool has(std::string_view name) const { return tensors_.has(name); }

  /// Length of an axis of a tensor that must have `axes` of them.
  int length(const std::string& name, std::int64_t axes, std::int64_t axis) const;

  template <class T>
  void agree(const Field<T>& field, T found) const {
    if (field && *field != found) {
      throw Error(fmt::format("{}: {} is {}, but the tensors in {} say {}", config_.file, field.key,
                              *field, tensors_.file(), found));
    }
  }

  /// `found`: that `tensor` is there.
  void agree(const Field<bool>& field, bool found, const std::string& tensor) const;

  const FileTensors& tensors_;
  const ModelConfig& config_;
};

/// Completes `vit`, whose blocks are known: the grids of its positions, its windows and the input's
/// size, which is `wanted` where that is given.
void readPositions(const TensorReader& tensors, const std::optional<InputSize>& wanted,
                   VitConfig& vit, std::vector<std::string>& notes);

}  // namespace adamerge
