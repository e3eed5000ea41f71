// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// A PyTorch zip checkpoint, see readWeights. Tensors that share a storage in the file share it
/// here.
StateDict readCheckpoint(const std::shared_ptr<const MappedFile>& file,
                         const ProgressCallback& progress = {}, const std::stop_token& stop = {});

}  // namespace adamerge
