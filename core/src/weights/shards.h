// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// Reads the tensors an index file (`*.index.json`) places in the shards beside it.
StateDict readShards(const MappedFile& index, const ProgressCallback& progress = {},
                     const std::stop_token& stop = {});

}  // namespace adamerge
