// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// Whether the content can only be meant as safetensors: a binary length, then a JSON object.
bool looksLikeSafetensors(const MappedFile& file);

/// The tensors lie in the mapping and keep it alive; those not aligned for their type are copies.
StateDict readSafetensors(const std::shared_ptr<const MappedFile>& file,
                          const ProgressCallback& progress = {}, const std::stop_token& stop = {});

}  // namespace adamerge
