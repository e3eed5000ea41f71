// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"
#include "support/json.h"

namespace adamerge {

/// One object of a config file, with a prefix such as "model_args.".
using ConfigFields = JsonFields;

/// How configs describe preprocessing: relative to an input size that is known only later.
struct PreprocessingConfig {
  Preprocessing::Resize resize = Preprocessing::Resize::kShorterSide;
  /// Resized by the input size over this...
  double crop_ratio = 0.9;
  /// ...or to exactly this, where the input has the size `crop`, else in proportion. `crop` is then
  /// the input size that the file states.
  std::optional<InputSize> resize_size;
  std::optional<InputSize> crop;
  bool crop_rounds_down = false;
  bool in_corner = false;
  Interpolation interpolation = Interpolation::kBicubic;
  bool bicubic_unless_square = false;  ///< whatever `interpolation` says (open_clip)
  bool floating_point = false;
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};
  bool pads_with_mean = false;  ///< else with `fill`
  std::array<std::uint8_t, 3> fill{0, 0, 0};
  std::vector<std::string> notes;
};

struct Colors {
  std::array<float, 3> mean;
  std::array<float, 3> std;
};
inline constexpr Colors kHalf{{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}};
inline constexpr Colors kImageNet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
inline constexpr Colors kOpenAi{{0.48145466F, 0.4578275F, 0.40821073F},
                                {0.26862954F, 0.26130258F, 0.27577711F}};

/// Images that are resized to the input size itself.
PreprocessingConfig withColors(const Colors& colors);
/// Throws Error where a deviation, called `key`, is not positive.
void checkStd(const ConfigFields& fields, std::string_view key, const std::array<float, 3>& std);

/// The readers throw Error naming file, field and value for what cannot run here; a field that is
/// not known is told in a note.

void noteUnknownFields(const ConfigFields& fields, const std::vector<std::string_view>& known,
                       std::vector<std::string>& notes);

/// `fields`: timm's pretrained_cfg, or a config's top level as older files have it.
PreprocessingConfig readTimmPreprocessing(const ConfigFields& fields);

/// `fields`: preprocessor_config.json, empty where there is none. What it leaves out are the
/// defaults of its class, which `model_type` of config.json decides where it names none.
PreprocessingConfig readHuggingFacePreprocessing(const ConfigFields& fields,
                                                 std::string_view model_type);

/// `fields`: preprocess_cfg of open_clip_config.json.
PreprocessingConfig readOpenClipPreprocessing(const ConfigFields& fields);

/// Weights that are published as one file, without a config.
enum class Publisher {
  kOpenAiClip,
  kMetaDinov2,
  kMetaDinov3,
  kMetaDinov3Satellite,
  kFairMae,
  kMetaSam
};
/// Resized to the input size itself (Meta and FAIR evaluate 224 pixels out of 256), with a note.
PreprocessingConfig publishedPreprocessing(Publisher publisher);

/// `input` need not be a multiple of the patch size: pixels beyond the grid are part of the
/// picture.
Preprocessing preprocessingFor(const PreprocessingConfig& config, InputSize input);

}  // namespace adamerge
