// SPDX-License-Identifier: GPL-3.0-or-later
// What the libraries' Segment Anything encoders share.
#pragma once

#include <vector>

#include "model/family.h"

namespace adamerge {

/// Windows of `side` patches in all blocks but those of `global`, which config.depth must know.
/// Throws Error naming a field.
void setWindows(const ConfigFields& fields, int side, const std::vector<double>& global,
                ModelConfig& config);

/// What all have, and the table of positions [1, rows, columns, d] as one of tokens.
void readEncoder(ModelConfig& config, FileTensors& tensors);

}  // namespace adamerge
