// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/preprocessing_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "support/text.h"

namespace adamerge {
namespace {

using Resize = Preprocessing::Resize;

constexpr Colors kSatellite{{0.430F, 0.411F, 0.296F}, {0.213F, 0.156F, 0.143F}};

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

Resize timmResize(const ConfigFields& fields) {
  const std::string name = fields.text("crop_mode").value.value_or("center");
  if (name == "center") return Resize::kShorterSide;
  if (name == "squash") return Resize::kExact;
  if (name == "border") return Resize::kLongerSide;
  fields.fail("crop_mode",
              fmt::format("is '{}'; center, squash and border can run here", printable(name, 40)));
}

/// Bounded, so that no config makes it overflow.
int wholePixels(double length) {
  constexpr double kMost = 1 << 20;
  return static_cast<int>(std::clamp(length, 1.0, kMost));
}

}  // namespace

void checkStd(const ConfigFields& fields, std::string_view key, const std::array<float, 3>& std) {
  if (std::any_of(std.begin(), std.end(), [](float value) { return value <= 0; })) {
    fields.fail(key, "holds a number that is not positive");
  }
}

PreprocessingConfig withColors(const Colors& colors) {
  PreprocessingConfig config;
  config.crop_ratio = 1;
  config.mean = colors.mean;
  config.std = colors.std;
  return config;
}

void noteUnknownFields(const ConfigFields& fields, const std::vector<std::string_view>& known,
                       std::vector<std::string>& notes) {
  for (const auto& [key, value] : fields.object().items()) {
    const bool says_nothing = value.is_null() || (value.is_boolean() && !value.get<bool>());
    if (says_nothing || std::find(known.begin(), known.end(), key) != known.end()) continue;
    notes.push_back(fmt::format("{} in {} is not known here and ignored.",
                                printable(fields.name(key), 60), fields.file()));
  }
}

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
  config.pads_with_mean = config.resize == Resize::kLongerSide;
  config.mean = fields.color("mean").value.value_or(kImageNet.mean);
  config.std = fields.color("std").value.value_or(kImageNet.std);
  checkStd(fields, "std", config.std);
  if (!fields.has("mean") || !fields.has("std")) {
    config.notes.push_back(
        "The config names no mean or std: ImageNet's are assumed, as timm does.");
  }
  return config;
}

PreprocessingConfig readOpenClipPreprocessing(const ConfigFields& fields) {
  PreprocessingConfig config = withColors(kOpenAi);
  config.mean = fields.color("mean").value.value_or(config.mean);
  config.std = fields.color("std").value.value_or(config.std);
  checkStd(fields, "std", config.std);

  const std::string mode = fields.text("resize_mode").value.value_or("shortest");
  if (mode == "longest") {
    config.resize = Resize::kLongerSide;
  } else if (mode == "squash") {
    config.resize = Resize::kExact;
  } else if (mode != "shortest") {
    fields.fail("resize_mode", fmt::format("is '{}'; shortest, longest and squash can run here",
                                           printable(mode, 40)));
  }
  config.bicubic_unless_square = mode == "shortest";

  const std::string filter = fields.text("interpolation").value.value_or("bicubic");
  if (filter == "bilinear") {
    config.interpolation = Interpolation::kBilinear;
  } else if (filter == "random") {
    config.notes.push_back(
        "The config's random interpolation is replaced by bicubic, as open_clip does.");
  } else if (filter != "bicubic") {
    fields.fail("interpolation",
                fmt::format("is '{}'; bicubic and bilinear can run here", printable(filter, 40)));
  }
  if (const auto colors = fields.text("mode"); colors && *colors != "RGB") {
    fields.fail("mode", fmt::format("is '{}'; only RGB can run here", printable(*colors, 40)));
  }
  if (const auto fill = fields.count("fill_color"); fill) {
    if (*fill > 255) fields.fail("fill_color", fmt::format("is {}, 0 to 255 is expected", *fill));
    config.fill.fill(static_cast<std::uint8_t>(*fill));
  }
  // The size is the network's, whatever stands here.
  noteUnknownFields(fields,
                    {"mean", "std", "interpolation", "resize_mode", "mode", "fill_color", "size"},
                    config.notes);
  return config;
}

PreprocessingConfig publishedPreprocessing(Publisher publisher) {
  const auto make = [](const Colors& colors, const char* whose) {
    PreprocessingConfig config = withColors(colors);
    config.notes.push_back(fmt::format(
        "There is no config: images are normalised with {} mean and deviation.", whose));
    return config;
  };
  switch (publisher) {
    case Publisher::kOpenAiClip:
      return make(kOpenAi, "OpenAI CLIP's");
    case Publisher::kMetaDinov3:
    case Publisher::kMetaDinov3Satellite: {
      const bool satellite = publisher == Publisher::kMetaDinov3Satellite;
      PreprocessingConfig config =
          satellite ? make(kSatellite, "the satellite pictures'") : make(kImageNet, "ImageNet's");
      config.resize = Resize::kExact;
      config.interpolation = Interpolation::kBilinear;
      return config;
    }
    case Publisher::kMetaSam: {
      PreprocessingConfig config = make(kImageNet, "ImageNet's");
      config.resize = Resize::kLongerSide;
      config.interpolation = Interpolation::kBilinear;
      config.in_corner = true;
      return config;
    }
    case Publisher::kMetaDinov2:
    case Publisher::kFairMae:
      break;
  }
  return make(kImageNet, "ImageNet's");
}

Preprocessing preprocessingFor(const PreprocessingConfig& config, InputSize input) {
  Preprocessing result;
  result.resize = config.resize;
  result.crop_height = input.height;
  result.crop_width = input.width;
  result.crop_rounds_down = config.crop_rounds_down;
  result.in_corner = config.in_corner;
  if (config.resize_size && config.crop) {
    const auto scaled = [](int length, int size, int crop) {
      return wholePixels(std::round(static_cast<double>(length) * size / crop));
    };
    result.resize_height = scaled(config.resize_size->height, input.height, config.crop->height);
    result.resize_width = scaled(config.resize_size->width, input.width, config.crop->width);
    // One number for the shorter edge stays one, in an input of another shape too.
    if (config.resize == Resize::kShorterSide) {
      result.resize_height = result.resize_width =
          std::max(result.resize_height, result.resize_width);
    }
  } else {
    result.resize_height = wholePixels(std::floor(input.height / config.crop_ratio));
    result.resize_width = wholePixels(std::floor(input.width / config.crop_ratio));
  }
  const bool square = result.resize_height == result.resize_width;
  result.interpolation =
      config.bicubic_unless_square && !square ? Interpolation::kBicubic : config.interpolation;
  result.floating_point = config.floating_point;
  result.mean = config.mean;
  result.std = config.std;
  result.fill = config.fill;
  for (std::size_t i = 0; config.pads_with_mean && i < result.fill.size(); ++i) {
    const float value = std::round(config.mean[i] * 255);
    result.fill[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
  }
  return result;
}

}  // namespace adamerge
