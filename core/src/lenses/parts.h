// SPDX-License-Identifier: GPL-3.0-or-later
// What the lenses share: token memberships, principal components.
#pragma once

#include <vector>

#include "adamerge/lenses.h"
#include "engine/image_state.h"

namespace adamerge {

TokenMembership membershipOf(const ImageState& tokens);

/// Of `features` [rows, width]; covariance and eigenvectors in fp64.
ComponentBasis principalComponents(const std::vector<float>& features, int rows, int width);

/// [rows, 3]
std::vector<float> scoresOn(const ComponentBasis& basis, const std::vector<float>& features,
                            int rows, int width);

/// Per patch 1 - cosine of its rows in both.
std::vector<float> changeOf(const std::vector<float>& features, const std::vector<float>& other,
                            int rows, int width);

}  // namespace adamerge
