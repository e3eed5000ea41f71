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

/// The settings that have an effect, defaults filled in.
Settings settingsInForce(const MethodChoice& choice);

/// "AdaMerge, r_max 16, alpha 2": the method with what differs from its defaults, and its count.
std::string describe(const MethodChoice& choice);

/// One object, or with `as_array` an array of them. Valid UTF-8, finite numbers.
std::string inspectJson(const Engine& engine, std::span<const InspectReport> reports,
                        bool as_array);
std::string modelJson(const Engine& engine);
std::string scheduleJson(const Engine& engine, const MethodChoice& choice, double target,
                         const SchedulePoint& point, std::size_t images);

/// For people: "Bicubic, shorter side to 248, centre crop 224 x 224".
std::string describe(const Preprocessing& preprocessing);

}  // namespace adamerge
