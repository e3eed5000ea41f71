// SPDX-License-Identifier: GPL-3.0-or-later
// A training run's state in one safetensors file: tensors, and what they belong to as metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "recipe.h"
#include "weights/state_dict.h"

namespace adamerge::training {

/// What must be equal for a run to go on.
struct RunIdentity {
  Recipe recipe;
  std::vector<std::string> classes;
  std::string images;  ///< TrainingData::fingerprint
};

struct Checkpoint {
  RunIdentity identity;
  std::int64_t step = 0;         ///< training steps done
  std::int64_t logged_step = 0;  ///< the last one with a row in the log
  std::string log;               ///< CSV as written so far
  StateDict tensors;
};

/// "FILE: a broken checkpoint: PROBLEM; ..."
Error brokenCheckpoint(const std::filesystem::path& path, const std::string& problem);

/// Beside, then renamed. Throws Error: no permission, full disk.
void writeCheckpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws Error: missing, truncated, damaged, no checkpoint of this program.
Checkpoint readCheckpoint(const std::filesystem::path& path);

/// Throws Error naming what differs, with both values.
void requireSame(const RunIdentity& stored, const RunIdentity& now,
                 const std::filesystem::path& path);

/// Copies tensor `name` into `target`, on its device. Throws Error: missing, of another shape or
/// type.
void copyTensor(const Checkpoint& checkpoint, const std::string& name, const at::Tensor& target,
                const std::filesystem::path& path);

}  // namespace adamerge::training
