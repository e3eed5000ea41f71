// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/preprocessing_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::array<float, 3> kImageNetMean{0.485F, 0.456F, 0.406F};
constexpr std::array<float, 3> kImageNetStd{0.229F, 0.224F, 0.225F};

void checkStd(const ConfigFields& fields, std::string_view key, const std::array<float, 3>& std) {
  if (std::any_of(std.begin(), std.end(), [](float value) { return value <= 0; })) {
    fields.fail(key, "holds a number that is not positive");
  }
}

Interpolation timmInterpolation(const ConfigFields& fields, PreprocessingConfig& config) {
  const std::string name = fields.text("interpolation").value.value_or("bicubic");
  if (name == "bicubic") return Interpolation::kBicubic;
  if (name == "bilinear") return Interpolation::kBilinear;
  if (name == "nearest") return Interpolation::kNearest;
  if (name == "lanczos") return Interpolation::kLanczos;
  if (name == "random") {
    config.notes.push_back("The config's random interpolation is replaced by bilinear.");
    return Interpolation::kBilinear;
  }
  fields.fail("interpolation", fmt::format("is '{}'; bicubic, bilinear, nearest and lanczos can "
                                           "run here",
                                           printable(name, 40)));
}

Preprocessing::Resize timmResize(const ConfigFields& fields) {
  const std::string name = fields.text("crop_mode").value.value_or("center");
  if (name == "center") return Preprocessing::Resize::kShorterSide;
  if (name == "squash") return Preprocessing::Resize::kExact;
  if (name == "border") return Preprocessing::Resize::kLongerSide;
  fields.fail("crop_mode",
              fmt::format("is '{}'; center, squash and border can run here", printable(name, 40)));
}

Interpolation pillowInterpolation(const ConfigFields& fields, int fallback) {
  switch (const int code = fields.count("resample").value.value_or(fallback)) {
    case 0:
      return Interpolation::kNearest;
    case 1:
      return Interpolation::kLanczos;
    case 2:
      return Interpolation::kBilinear;
    case 3:
      return Interpolation::kBicubic;
    default:
      fields.fail("resample", fmt::format("is {}; 0 to 3 (nearest, lanczos, bilinear, bicubic) can "
                                          "run here",
                                          code));
  }
}

/// 224, [224, 224], {"height", "width"} or {"shortest_edge"}; the last as a square.
Field<InputSize> hfSize(const ConfigFields& fields, const char* key, bool& shortest) {
  const nlohmann::json* value = fields.find(key);
  if (value == nullptr || !value->is_object()) return fields.size(key);
  const ConfigFields size = fields.below(key);
  if (size.has("shortest_edge")) {
    shortest = true;
    return size.size("shortest_edge");
  }
  const Field<InputSize> height = size.size("height");
  const Field<InputSize> width = size.size("width");
  if (!height || !width) fields.fail(key, "has neither height and width nor shortest_edge");
  return {InputSize{(*height).height, (*width).width}, fields.name(key)};
}

/// Bounded, so that no config makes it overflow.
int wholePixels(double length) {
  constexpr double kMost = 1 << 20;
  return static_cast<int>(std::clamp(length, 1.0, kMost));
}

}  // namespace

PreprocessingConfig readTimmPreprocessing(const ConfigFields& fields) {
  constexpr double kTimmCropRatio = 0.875;
  PreprocessingConfig config;
  config.resize = timmResize(fields);
  config.interpolation = timmInterpolation(fields, config);
  config.crop_ratio = fields.number("crop_pct").value.value_or(kTimmCropRatio);
  // Below this a resized picture would be larger than any memory.
  if (!(config.crop_ratio >= 0.05 && config.crop_ratio <= 2)) {
    fields.fail("crop_pct",
                fmt::format("is {}, a number from 0.05 to 2 is expected", config.crop_ratio));
  }
  config.mean = fields.color("mean").value.value_or(kImageNetMean);
  config.std = fields.color("std").value.value_or(kImageNetStd);
  checkStd(fields, "std", config.std);
  if (!fields.has("mean") || !fields.has("std")) {
    config.notes.push_back(
        "The config names no mean or std: ImageNet's are assumed, as timm does.");
  }
  return config;
}

PreprocessingConfig readHuggingFacePreprocessing(const ConfigFields& fields) {
  PreprocessingConfig config;
  config.resize = Preprocessing::Resize::kExact;
  config.crop_ratio = 1;
  config.interpolation = Interpolation::kBilinear;
  if (fields.object().empty()) {
    config.notes.push_back(
        "There is no preprocessor_config.json: images are resized to the input size and normalised "
        "with mean and std 0.5.");
    return config;
  }

  const std::string type =
      fields.text("image_processor_type")
          .value.value_or(fields.text("feature_extractor_type").value.value_or(""));
  config.interpolation =
      pillowInterpolation(fields, type.empty() || type.starts_with("ViT") ? 2 : 3);
  bool shortest = type.starts_with("Bit") || type.starts_with("CLIP");
  if (const nlohmann::json* size = fields.find("size"); size != nullptr && size->is_object()) {
    shortest = false;
  }
  Field<InputSize> size = hfSize(fields, "size", shortest);
  bool ignored = false;
  const Field<InputSize> crop = hfSize(fields, "crop_size", ignored);
  const bool crops = fields.flag("do_center_crop").value.value_or(crop.value.has_value());
  if (!fields.flag("do_resize").value.value_or(true)) {
    config.notes.push_back(
        "The preprocessor does not resize; images are resized to the input size here.");
    size.value = crops ? crop.value : size.value;
    shortest = false;
  }
  config.crop = crops && crop ? crop.value : size.value;
  config.resize_size = size.value;
  if (shortest) {
    config.resize = Preprocessing::Resize::kShorterSide;
    if (!crops) {
      config.notes.push_back("The preprocessor crops no square; the centre square is used here.");
    }
  }

  // The preprocessor computes (255 f x - mean) / std for x in 0...1.
  const double scale = fields.flag("do_rescale").value.value_or(true)
                           ? 255 * fields.number("rescale_factor").value.value_or(1.0 / 255)
                           : 255;
  if (!(scale > 0)) fields.fail("rescale_factor", "is not positive");
  if (fields.flag("do_normalize").value.value_or(true)) {
    config.mean = fields.color("image_mean").value.value_or(config.mean);
    config.std = fields.color("image_std").value.value_or(config.std);
    checkStd(fields, "image_std", config.std);
  } else {
    config.mean = {0, 0, 0};
    config.std = {1, 1, 1};
  }
  for (std::size_t i = 0; i < config.mean.size(); ++i) {
    config.mean[i] = static_cast<float>(config.mean[i] / scale);
    config.std[i] = static_cast<float>(config.std[i] / scale);
  }
  return config;
}

Preprocessing preprocessingFor(const PreprocessingConfig& config, InputSize input) {
  Preprocessing result;
  result.resize = config.resize;
  result.crop_height = input.height;
  result.crop_width = input.width;
  if (config.resize_size && config.crop) {
    const auto scaled = [](int length, int size, int crop) {
      return wholePixels(std::round(static_cast<double>(length) * size / crop));
    };
    result.resize_height = scaled(config.resize_size->height, input.height, config.crop->height);
    result.resize_width = scaled(config.resize_size->width, input.width, config.crop->width);
  } else {
    result.resize_height = wholePixels(std::floor(input.height / config.crop_ratio));
    result.resize_width = wholePixels(std::floor(input.width / config.crop_ratio));
  }
  result.interpolation = config.interpolation;
  result.mean = config.mean;
  result.std = config.std;
  if (config.resize != Preprocessing::Resize::kLongerSide) return result;
  // Only timm's border mode pads with the mean; a crop beyond the edge is black.
  for (std::size_t i = 0; i < result.fill.size(); ++i) {
    const float value = std::round(config.mean[i] * 255);
    result.fill[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
  }
  return result;
}

}  // namespace adamerge
