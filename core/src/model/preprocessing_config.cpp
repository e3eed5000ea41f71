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

struct Colors {
  std::array<float, 3> mean;
  std::array<float, 3> std;
};
constexpr Colors kHalf{{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}};
constexpr Colors kImageNet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
constexpr Colors kOpenAi{{0.48145466F, 0.4578275F, 0.40821073F},
                         {0.26862954F, 0.26130258F, 0.27577711F}};
constexpr Colors kSatellite{{0.430F, 0.411F, 0.296F}, {0.213F, 0.156F, 0.143F}};

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

Resize timmResize(const ConfigFields& fields) {
  const std::string name = fields.text("crop_mode").value.value_or("center");
  if (name == "center") return Resize::kShorterSide;
  if (name == "squash") return Resize::kExact;
  if (name == "border") return Resize::kLongerSide;
  fields.fail("crop_mode",
              fmt::format("is '{}'; center, squash and border can run here", printable(name, 40)));
}

/// One of Hugging Face's image processors and its defaults (transformers 5).
struct Processor {
  std::string_view name;  ///< without ImageProcessor, which follows in files
  Interpolation interpolation;
  Colors colors;
  int size = 224;
  bool shortest_edge = false;  ///< what a number as `size` means
  bool crops = false;
  bool floating_point = false;
};
constexpr std::array<Processor, 8> kProcessors{{
    {"ViT", Interpolation::kBilinear, kHalf},
    {"DeiT", Interpolation::kBicubic, kHalf, 256, false, true},
    {"Beit", Interpolation::kBicubic, kHalf},
    {"Bit", Interpolation::kBicubic, kOpenAi, 224, true, true},
    {"CLIP", Interpolation::kBicubic, kOpenAi, 224, true, true},
    {"Siglip", Interpolation::kBicubic, kHalf},
    {"Sam", Interpolation::kBilinear, kImageNet, 1024},
    {"DINOv3ViT", Interpolation::kBilinear, kImageNet, 224, false, false, true},
}};
constexpr int kProcessorCrop = 224;

const Processor* findProcessor(std::string_view name) {
  const auto found = std::find_if(kProcessors.begin(), kProcessors.end(),
                                  [name](const Processor& known) { return known.name == name; });
  return found == kProcessors.end() ? nullptr : &*found;
}

/// The processor that transformers takes for a `model_type`.
const Processor& processorOfModel(std::string_view model_type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kStarts{{
      {"deit", "DeiT"},
      {"beit", "Beit"},
      {"data2vec", "Beit"},
      {"clip", "CLIP"},
      {"siglip", "Siglip"},
      {"dinov3", "DINOv3ViT"},
      {"sam", "Sam"},
  }};
  for (const auto& [start, name] : kStarts) {
    if (model_type.starts_with(start)) return *findProcessor(name);
  }
  const bool bit = model_type.starts_with("dinov2") || model_type == "bit";
  return *findProcessor(bit ? "Bit" : "ViT");
}

/// Networks of transformers that resample their positions without being asked.
bool takesAnySize(std::string_view model_type) {
  constexpr std::array<std::string_view, 4> kStarts{"dinov2", "dinov3", "beit", "data2vec"};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&](std::string_view start) { return model_type.starts_with(start); });
}

const Processor& processorOf(const ConfigFields& fields, std::string_view model_type,
                             std::vector<std::string>& notes) {
  const bool current = fields.has("image_processor_type");
  const char* key = current ? "image_processor_type" : "feature_extractor_type";
  const Field<std::string> type = fields.text(key);
  const Processor& usual = processorOfModel(model_type);
  if (!type) return usual;
  std::string_view name = *type;
  for (const std::string_view ending : {"Fast", "Pil", "ImageProcessor", "FeatureExtractor"}) {
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  }
  if (const Processor* found = findProcessor(name)) return *found;
  if (name == "Siglip2") {
    fields.fail(key,
                fmt::format("is '{}': pictures of any aspect (NaFlex) cannot run here; weights "
                            "of a fixed size, with a SiglipImageProcessor, can",
                            printable(*type, 60)));
  }
  notes.push_back(
      fmt::format("{} is '{}', which is not known here: what the file leaves out is "
                  "taken from {}ImageProcessor.",
                  key, printable(*type, 60), usual.name));
  return usual;
}

Interpolation pillowInterpolation(const ConfigFields& fields, const Processor& processor) {
  const Field<int> code = fields.count("resample");
  if (!code) return processor.interpolation;
  switch (*code) {
    case 0:
      return Interpolation::kNearest;
    case 1:
      if (processor.floating_point) {
        fields.fail("resample",
                    "is 1 (lanczos), which torchvision has not for floating point; 0, 2 "
                    "and 3 (nearest, bilinear, bicubic) can run here");
      }
      return Interpolation::kLanczos;
    case 2:
      return Interpolation::kBilinear;
    case 3:
      return Interpolation::kBicubic;
    default:
      fields.fail("resample", fmt::format("is {}{}; 0 to 3 (nearest, lanczos, bilinear, bicubic) "
                                          "can run here",
                                          *code,
                                          *code == 4   ? " (box)"
                                          : *code == 5 ? " (hamming)"
                                                       : ""));
  }
}

/// 224, [224, 224] or {"height", "width"}.
Field<InputSize> heightAndWidth(const ConfigFields& fields, const char* key,
                                const char* alternative) {
  const nlohmann::json* value = fields.find(key);
  if (value == nullptr || !value->is_object()) return fields.size(key);
  const ConfigFields size = fields.below(key);
  const Field<int> height = size.count("height");
  const Field<int> width = size.count("width");
  if (!height || !width) {
    fields.fail(key, fmt::format("has not both height and width{}", alternative));
  }
  for (const auto& [side, ignored] : value->items()) {
    if (side != "height" && side != "width" && size.has(side)) {
      fields.fail(
          key, fmt::format("has {} beside height and width: cannot run here", printable(side, 40)));
    }
  }
  // Bounds and messages of the one reader of sizes.
  return {InputSize{(*size.size("height")).height, (*size.size("width")).width}, fields.name(key)};
}

/// As heightAndWidth, or {"shortest_edge"}: that as a square, and `shortest` becomes true.
Field<InputSize> processorSize(const ConfigFields& fields, bool& shortest) {
  const nlohmann::json* value = fields.find("size");
  if (value == nullptr || value->is_number()) return fields.size("size");
  shortest = value->is_object() && fields.below("size").has("shortest_edge");
  if (!shortest) return heightAndWidth(fields, "size", " nor shortest_edge");
  const ConfigFields size = fields.below("size");
  for (const auto& [side, ignored] : value->items()) {
    if (side != "shortest_edge" && size.has(side)) {
      fields.fail("size",
                  fmt::format("has {} beside shortest_edge: cannot run here", printable(side, 40)));
    }
  }
  Field<InputSize> edge = size.size("shortest_edge");
  if (edge.value->height != edge.value->width) size.fail("shortest_edge", "is not one number");
  return edge;
}

/// The preprocessor computes (255 f x - mean) / std for x in 0...1.
void readProcessorColors(const ConfigFields& fields, const Colors& usual,
                         PreprocessingConfig& config) {
  Colors colors{{0, 0, 0}, {1, 1, 1}};
  if (fields.flag("do_normalize").value.value_or(true)) {
    colors.mean = fields.color("image_mean").value.value_or(usual.mean);
    colors.std = fields.color("image_std").value.value_or(usual.std);
    checkStd(fields, "image_std", colors.std);
  }
  double scale = 255;
  if (fields.flag("do_rescale").value.value_or(true)) {
    const double factor = fields.number("rescale_factor").value.value_or(1.0 / 255);
    // Beyond this the scaled mean and deviation leave what a float holds well.
    if (!(factor >= 1e-6 && factor <= 1e6)) {
      fields.fail("rescale_factor",
                  fmt::format("is {}, a positive number such as 1/255 is expected", factor));
    }
    scale *= factor;
  }
  for (std::size_t i = 0; i < config.mean.size(); ++i) {
    config.mean[i] = static_cast<float>(colors.mean[i] / scale);
    config.std[i] = static_cast<float>(colors.std[i] / scale);
  }
}

PreprocessingConfig withColors(const Colors& colors) {
  PreprocessingConfig config;
  config.crop_ratio = 1;
  config.mean = colors.mean;
  config.std = colors.std;
  return config;
}

/// Bounded, so that no config makes it overflow.
int wholePixels(double length) {
  constexpr double kMost = 1 << 20;
  return static_cast<int>(std::clamp(length, 1.0, kMost));
}

}  // namespace

void noteUnknownFields(const ConfigFields& fields, std::initializer_list<std::string_view> known,
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

namespace {

/// Longest side to `longest_edge`, into the corner of `pad_size`.
void readSamSizes(const ConfigFields& fields, PreprocessingConfig& config) {
  config.resize = Resize::kLongerSide;
  config.in_corner = true;
  config.crop_ratio = 1;
  const Field<int> edge = fields.below("size").count("longest_edge", 1, 65536);
  const ConfigFields pad = fields.below("pad_size");
  const Field<int> height = pad.count("height", 1, 65536);
  const Field<int> width = pad.count("width", 1, 65536);
  if (edge) config.resize_size = InputSize{*edge, *edge};
  if (height && width) config.crop = InputSize{*height, *width};
  if (edge && !config.crop) config.crop = config.resize_size;
  if (!edge && config.crop) config.resize_size = config.crop;
  noteUnknownFields(fields,
                    {"image_processor_type",
                     "feature_extractor_type",
                     "processor_class",
                     "size",
                     "pad_size",
                     "mask_size",
                     "mask_pad_size",
                     "resample",
                     "do_resize",
                     "do_pad",
                     "do_rescale",
                     "rescale_factor",
                     "do_normalize",
                     "image_mean",
                     "image_std",
                     "do_convert_rgb",
                     "data_format",
                     "input_data_format",
                     "return_tensors",
                     "device",
                     "disable_grouping"},
                    config.notes);
}

}  // namespace

PreprocessingConfig readHuggingFacePreprocessing(const ConfigFields& fields,
                                                 std::string_view model_type) {
  std::vector<std::string> notes;
  const Processor& processor = processorOf(fields, model_type, notes);
  PreprocessingConfig config = withColors(processor.colors);
  config.notes = std::move(notes);
  config.crop_rounds_down = true;
  config.interpolation = pillowInterpolation(fields, processor);
  config.crop_ratio = static_cast<double>(kProcessorCrop) / processor.size;
  if (fields.object().empty()) {
    config.notes.push_back(
        fmt::format("There is no preprocessor_config.json: the defaults of "
                    "{}ImageProcessor are used, at the network's input size.",
                    processor.name));
  }

  if (processor.name == "Sam") {
    readSamSizes(fields, config);
    readProcessorColors(fields, processor.colors, config);
    return config;
  }
  bool shortest = processor.shortest_edge;
  if (const auto square = fields.flag("default_to_square"); square) shortest = !*square;
  Field<InputSize> size = processorSize(fields, shortest);
  Field<InputSize> crop = heightAndWidth(fields, "crop_size", "");
  bool crops = processor.crops;
  if (const auto flag = fields.flag("do_center_crop"); flag) {
    crops = *flag;
    if (crops && !crop && !processor.crops && processor.name != "Beit") {
      fields.fail("do_center_crop",
                  fmt::format("is true, but there is no crop_size, of which {}ImageProcessor has "
                              "no default",
                              processor.name));
    }
  } else if (crop && !crops && !fields.has("image_processor_type") &&
             !fields.has("feature_extractor_type")) {
    crops = true;
    config.notes.push_back(fmt::format(
        "The preprocessor names neither its class nor do_center_crop, but crop_size: pictures are "
        "cropped to it; {}ImageProcessor would not.",
        processor.name));
  }
  if (!size && !crop && !fields.object().empty()) {
    if (takesAnySize(model_type)) {
      size.value = InputSize{processor.size, processor.size};
    } else {
      config.notes.push_back(fmt::format(
          "The preprocessor names no size: the network's is taken, which takes no other; "
          "{}ImageProcessor's own is {}.",
          processor.name, crops ? kProcessorCrop : processor.size));
    }
  }
  // Where the file gives one of both, the other is the class's.
  if (crops && size && !crop) crop.value = InputSize{kProcessorCrop, kProcessorCrop};
  if (crops && crop && !size) size.value = InputSize{processor.size, processor.size};
  if (!crops) config.crop_ratio = 1;

  if (!fields.flag("do_resize").value.value_or(true)) {
    config.notes.push_back(
        "The preprocessor does not resize; images are resized to the input size here.");
    size.value = crops ? crop.value : size.value;
    shortest = false;
  }
  config.crop = crops ? crop.value : size.value;
  config.resize_size = size.value;
  config.resize = shortest ? Resize::kShorterSide : Resize::kExact;
  if (shortest && !crops) {
    config.notes.push_back("The preprocessor crops no square; the centre square is used here.");
  }
  // Not rescaled, the pixels stay whole numbers until they are resized.
  config.floating_point =
      processor.floating_point && fields.flag("do_rescale").value.value_or(true);
  readProcessorColors(fields, processor.colors, config);
  noteUnknownFields(fields,
                    {"image_processor_type",
                     "feature_extractor_type",
                     "processor_class",
                     "size",
                     "crop_size",
                     "default_to_square",
                     "resample",
                     "do_resize",
                     "do_center_crop",
                     "do_rescale",
                     "rescale_factor",
                     "do_normalize",
                     "image_mean",
                     "image_std",
                     "do_convert_rgb",
                     "data_format",
                     "input_data_format",
                     "return_tensors",
                     "device",
                     "disable_grouping",
                     "reduce_labels",
                     "do_reduce_labels"},
                    config.notes);
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
