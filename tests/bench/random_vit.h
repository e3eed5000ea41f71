// SPDX-License-Identifier: GPL-3.0-or-later
// A ViT-B/16 whose weights are noise: as quick or slow as a trained one, and nothing to download.
#pragma once

#include <filesystem>

namespace adamerge {

/// Writes config.json and model.safetensors (330 MB) with timm's names. Always the same weights.
void writeRandomVitBase(const std::filesystem::path& folder);

}  // namespace adamerge
