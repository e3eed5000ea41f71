// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "model/config_fields.h"

namespace adamerge {

/// How configs describe preprocessing: relative to an input size that is known only later.
struct PreprocessingConfig {
  Preprocessing::Resize resize = Preprocessing::Resize::kShorterSide;
  /// Resized by the input size over this...
  double crop_ratio = 0.9;
  /// ...or to exactly this, where the input has the size `crop`, else in proportion.
  std::optional<InputSize> resize_size;
  std::optional<InputSize> crop;
  Interpolation interpolation = Interpolation::kBicubic;
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};
  std::vector<std::string> notes;
};

/// `fields`: timm's pretrained_cfg, or a config's top level as older files have it.
PreprocessingConfig readTimmPreprocessing(const ConfigFields& fields);
/// `fields`: preprocessor_config.json, may be empty.
PreprocessingConfig readHuggingFacePreprocessing(const ConfigFields& fields);

Preprocessing preprocessingFor(const PreprocessingConfig& config, InputSize input);

}  // namespace adamerge
