// SPDX-License-Identifier: GPL-3.0-or-later
// What the lenses share: token memberships, principal components.
#pragma once

#include <span>
#include <vector>

#include "adamerge/lenses.h"
#include "engine/image_state.h"
#include "engine/windows.h"

namespace adamerge {

/// Of `features` [rows, width].
inline std::span<const float> rowOf(const std::vector<float>& features, int row, int width) {
  const auto length = static_cast<std::size_t>(width);
  return std::span(features).subspan(static_cast<std::size_t>(row) * length, length);
}

/// Whether attention is that of windows, of which no maps of all tokens are made.
bool attendsInWindows(const Recording& run);
/// Whether Recording::attention() gives maps: neither in windows nor by a Fourier filter.
bool hasAttentionMaps(const Recording& run);
/// Where it attends in windows. Throws Error (block, out of memory), Cancelled.
WindowLooks windowLooks(const Recording& run, int block, int patch, bool looked_at,
                        const std::stop_token& stop);
/// Of one head, -1 the mean over all.
LensMap mapOf(const WindowLooks& looks, int head);

TokenMembership membershipOf(const ImageState& tokens);

/// Of `features` [rows, width]; covariance and eigenvectors in fp64.
ComponentBasis principalComponents(const std::vector<float>& features, int rows, int width);

/// Of a class of a dense head: neighbours in number lie far apart in hue.
std::array<std::uint8_t, 3> classColor(int index);

/// [rows, 3]
std::vector<float> scoresOn(const ComponentBasis& basis, const std::vector<float>& features,
                            int rows, int width);

/// Per patch 1 - cosine of its rows in both.
std::vector<float> changeOf(const std::vector<float>& features, const std::vector<float>& other,
                            int rows, int width);

}  // namespace adamerge
