// SPDX-License-Identifier: GPL-3.0-or-later
// What a figure was made with, as it is written into the figure's file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"

namespace adamerge {

struct Provenance {
  std::string model;                   ///< its name
  std::filesystem::path model_source;  ///< folder or file
  std::string image;
  MethodChoice choice;  ///< settings complete; without statistics
  int layer = -1;       ///< 0-based; -1: the figure shows no single block
  std::string device;
  std::string dtype;
};

/// One line of JSON, ASCII only: {"format":1,"program":"AdaMerge
/// Studio","model":...,"block":6,...}. `layer` is 0-based, "block" counts from 1 and is null for
/// -1. Throws Error for settings the method does not take.
std::string provenanceJson(const ModelInfo& model, std::string_view device, std::string_view dtype,
                           std::string_view image, const MethodChoice& choice, int layer);

/// Reads what provenanceJson() wrote, or a comparison's list of it; one entry for each picture
/// compared. Throws Error: not this format, an unknown method, settings it does not take.
std::vector<Provenance> parseProvenance(std::string_view text);

}  // namespace adamerge
