// SPDX-License-Identifier: GPL-3.0-or-later
// Counts per block under a name, in files that the studio's schedule editor and the command line
// share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/methods.h"

namespace adamerge {

struct Schedule {
  std::string name;
  std::vector<std::int64_t> counts;  ///< tokens that go in each block, from the first
  /// That the network begins with which it was made for, class token included; 0: not told.
  std::int64_t tokens = 0;
};

/// That counts made for so many tokens (Schedule::tokens) leave other shares in this network, in a
/// sentence; empty: it has as many, or nobody knows.
std::string otherTokensWarning(std::int64_t tokens, const VitConfig& vit);

/// Whether a setting is a count for each block, which a schedule may give.
bool isSchedule(const SettingInfo& setting);

/// All schedules of a JSON file, at least one: that of writeSchedule(), or those of DiffRate's
/// compression_rate.json (ICCV 2023), "ViT-S-DeiT 2.9" and so on. DiffRate tells the tokens left
/// by pruning and by merging; what goes by either is one count here. Its pyramids are left out.
/// Throws Error naming the file and what is wrong.
std::vector<Schedule> readSchedules(const std::filesystem::path& path);

/// The one that `place` names: "FILE" where it holds a single one, else "FILE#NAME". Throws Error,
/// which lists the names.
Schedule readSchedule(const std::string& place);

/// Writes beside and renames. Throws Error.
void writeSchedule(const Schedule& schedule, const std::filesystem::path& path);

}  // namespace adamerge
