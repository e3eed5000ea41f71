// SPDX-License-Identifier: GPL-3.0-or-later
// What Hugging Face's image processors do, by preprocessor_config.json.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "model/preprocessing_config.h"
#include "support/text.h"

namespace adamerge {
namespace {

using Resize = Preprocessing::Resize;

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

/// `own`: fields that not every processor has.
void noteUnknownProcessorFields(const ConfigFields& fields,
                                std::initializer_list<std::string_view> own,
                                std::vector<std::string>& notes) {
  std::vector<std::string_view> known{"image_processor_type",
                                      "feature_extractor_type",
                                      "processor_class",
                                      "size",
                                      "resample",
                                      "do_resize",
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
                                      "disable_grouping"};
  known.insert(known.end(), own);
  noteUnknownFields(fields, known, notes);
}

/// A network takes pictures of one size, whatever the processor leaves out. Whether it does.
bool notesWhatIsDone(const ConfigFields& fields, const char* key, std::string_view done,
                     std::vector<std::string>& notes) {
  if (fields.flag(key).value.value_or(true)) return false;
  notes.push_back(fmt::format("{} is false in {}; images are {} the input size here all the same.",
                              key, fields.file(), done));
  return true;
}

/// Longest side to `longest_edge`, into the corner of `pad_size`.
void readSamSizes(const ConfigFields& fields, PreprocessingConfig& config) {
  config.resize = Resize::kLongerSide;
  config.in_corner = true;
  config.crop_ratio = 1;
  const ConfigFields size = fields.below("size");
  const Field<int> edge = size.count("longest_edge", 1, 65536);
  size.refuseUnknown({});
  const ConfigFields pad = fields.below("pad_size");
  const Field<int> height = pad.count("height", 1, 65536);
  const Field<int> width = pad.count("width", 1, 65536);
  pad.refuseUnknown({});
  notesWhatIsDone(fields, "do_resize", "resized to", config.notes);
  notesWhatIsDone(fields, "do_pad", "padded to", config.notes);
  if (edge) config.resize_size = InputSize{*edge, *edge};
  if (height && width) config.crop = InputSize{*height, *width};
  if (edge && !config.crop) config.crop = config.resize_size;
  if (!edge && config.crop) config.resize_size = config.crop;
  noteUnknownProcessorFields(fields, {"pad_size", "mask_size", "mask_pad_size", "do_pad"},
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

  if (notesWhatIsDone(fields, "do_resize", "resized to", config.notes)) {
    size.value = crops ? crop.value : size.value;
    shortest = false;
  }
  config.crop = crops ? crop.value : size.value;
  config.resize_size = size.value;
  config.resize = shortest ? Resize::kShorterSide : Resize::kExact;
  if (shortest && !crops) {
    config.notes.push_back(
        "The preprocessor crops no square (do_center_crop); the centre square is used here.");
  }
  // Not rescaled, the pixels stay whole numbers until they are resized.
  config.floating_point =
      processor.floating_point && fields.flag("do_rescale").value.value_or(true);
  readProcessorColors(fields, processor.colors, config);
  noteUnknownProcessorFields(
      fields,
      {"crop_size", "default_to_square", "do_center_crop", "reduce_labels", "do_reduce_labels"},
      config.notes);
  return config;
}

}  // namespace adamerge
