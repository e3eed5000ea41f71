// SPDX-License-Identifier: GPL-3.0-or-later
// Results as JSON: the contract scripts rely on (README, "JSON").
#pragma once

#include <span>
#include <string>

#include "adamerge/engine.h"
#include "adamerge/schedule.h"

namespace adamerge {

/// One inspected image.
struct InspectReport {
  std::string image;     ///< as the user named it
  int image_height = 0;  ///< of the original, after EXIF orientation
  int image_width = 0;
  Rectangle crop;
  MethodChoice choice;
  ImageResult result;
  ImageResult baseline;  ///< the unmerged model on the same input
};

/// The settings that have an effect on this network, defaults filled in.
Settings settingsInForce(const MethodChoice& choice, const VitConfig& vit);

/// "AdaMerge, r_max 16, alpha 2": the method with what differs from its defaults, and its count.
std::string describe(const MethodChoice& choice);

/// One object, or with `as_array` an array of them. Valid UTF-8, finite numbers.
std::string inspectJson(const Engine& engine, std::span<const InspectReport> reports,
                        bool as_array);
std::string modelJson(const Engine& engine);
std::string scheduleJson(const Engine& engine, const MethodChoice& choice, double target,
                         const SchedulePoint& point);

/// One row per block: block (from 1), tokens_in, tokens_out, merged, redundancy, mu, sigma, z;
/// empty where a block has no such value. RFC 4180.
std::string traceCsv(const ImageResult& result);
/// One row per merge: block (from 1), source_group and destination_group as in GroupMerge, the
/// patch that stands for each (source_patch, destination_patch), similarity. RFC 4180. Throws Error
/// for a trace that contradicts itself.
std::string mergesCsv(const ImageResult& result);

/// For people: "Bicubic, shorter side to 248, centre crop 224 x 224".
std::string describe(const Preprocessing& preprocessing);

}  // namespace adamerge
