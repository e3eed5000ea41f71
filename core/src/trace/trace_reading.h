// SPDX-License-Identifier: GPL-3.0-or-later
// Parts of reading a trace: its metadata, and from groups alone, as it has them, to what a run of
// ours tells of its blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/result.h"
#include "adamerge/trace_file.h"
#include "weights/safetensors.h"

namespace adamerge {

/// One block of one image, as a file has it.
struct BlockGroups {
  std::vector<std::int64_t> groups;  ///< per patch; the same number is one token, -1 dropped
  std::vector<std::int64_t>
      survivors;  ///< per patch: the patch that stands for its token; or empty
  std::optional<std::int64_t> tokens_in;  ///< prefix included
  /// Rows and columns of the windows that a part of it ran in, after which all tokens were
  /// restored; or empty.
  std::vector<int> window = {};
};

/// Groups numbered anew, tokens counted, merges and drops between successive blocks; every block
/// `restored` where any of them parts what was one token before, or ran in windows. `where` begins
/// the messages.
/// Throws Error: numbers out of range, a survivor outside its group or that had been merged before.
std::vector<LayerTrace> layersOf(const std::vector<BlockGroups>& blocks, int prefix_tokens,
                                 const std::string& where);

/// All but depth and what tensors there are. Throws Error: another format or version, a grid or
/// names that are none.
TraceInfo readTraceInfo(const SafetensorsMetadata& texts, const std::filesystem::path& file);

}  // namespace adamerge
