// SPDX-License-Identifier: GPL-3.0-or-later
// Adaptive Fourier Neural Operators: the classifier of AFNO-transformer, FourCastNet's field, and
// both in a folder of ours, with a config in timm's form.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "adamerge/error.h"
#include "model/families/timm.h"
#include "support/text.h"

namespace adamerge {
namespace afno {

constexpr const char* kPatches = "patch_embed.proj.weight";
constexpr std::string_view kArchitecture = "afno";

/// Any mixer of that code; open() tells which of them can run.
std::string recognises(const FileTensors& tensors) {
  const bool filters = !tensors.first("blocks.*.filter").empty();
  return filters && tensors.has(kPatches) ? kPatches : "";
}

/// Squashed to the input's size, normalised as ImageNet is.
void describeUsualPreprocessing(ModelConfig& config) {
  constexpr std::array<float, 3> kMean{0.485F, 0.456F, 0.406F};
  constexpr std::array<float, 3> kStd{0.229F, 0.224F, 0.225F};
  config.preprocessing.resize = Preprocessing::Resize::kExact;
  config.preprocessing.crop_ratio = 1;
  config.preprocessing.mean = kMean;
  config.preprocessing.std = kStd;
  config.preprocessing.notes.emplace_back(
      "Nothing says how pictures are prepared: squashed to the input's size, with ImageNet's mean "
      "and deviation.");
}

/// AFNO-transformer keeps its arguments beside the weights; FourCastNet keeps none.
void readCheckpoint(FileTensors& tensors, bool field, ModelConfig& config) {
  FourierFilter& filter = config.base.filter;
  config.file = tensors.file();
  if (field) {
    config.size_must_be_named = true;
  } else {
    filter.rows_and_columns = false;
    const ConfigFields args = ConfigFields(&tensors.values(), tensors.file()).below("args");
    filter.double_skip = args.flag("double_skip").valueOr(false);
    config.trained_size = args.size("input_size");
  }
  describeUsualPreprocessing(config);
}

/// The folder's config; spec: docs/dense.md.
void readConfig(const ConfigFields& fields, FileTensors& tensors, ModelConfig& config) {
  config.format = ConfigFormat::kTimm;
  config.file = fields.file();
  config.architecture = *fields.text("architecture");
  if (!describesAfno(fields)) {
    fields.fail("architecture", fmt::format("is '{}', but the tensors in {} are those of an AFNO",
                                            printable(config.architecture, 60), tensors.file()));
  }
  const ConfigFields args = fields.below("model_args");
  FourierFilter& filter = config.base.filter;
  config.trained_size = args.size("img_size");
  config.patch_size = args.count("patch_size", 1);
  config.channels = args.count("in_chans", 1);
  config.dim = args.count("embed_dim", 1);
  config.depth = args.count("depth", 1);
  config.filter_groups = args.count("num_blocks", 1);
  config.filter_factor = args.count("hidden_size_factor", 1);
  readTimmRoot(fields, config);
  filter.threshold = args.number("sparsity_threshold", 0).valueOr(filter.threshold);
  filter.fraction = args.number("hard_thresholding_fraction", 0, 1).valueOr(filter.fraction);
  filter.double_skip = args.flag("double_skip").valueOr(filter.double_skip);
  const Field<std::string> rule = args.text("mode_rule");
  filter.rows_and_columns = rule.valueOr("rows-and-columns") == "rows-and-columns";
  if (!filter.rows_and_columns && *rule != "columns") {
    args.fail("mode_rule", fmt::format("is '{}'; rows-and-columns and columns can run here",
                                       printable(*rule, 40)));
  }
  if (const Field<double> ratio = args.number("mlp_ratio", 0, 1000); ratio && config.dim) {
    config.mlp_hidden = {static_cast<int>(*config.dim * *ratio), ratio.key};
  }
  constexpr std::array<std::string_view, 5> kNoSay{"drop_rate", "drop_path_rate", "in_chans",
                                                   "num_classes", "global_pool"};
  args.refuseUnknown(kNoSay);
  const ConfigFields pretrained = fields.below("pretrained_cfg");
  if (pretrained.object().empty()) {
    describeUsualPreprocessing(config);
  } else {
    config.preprocessing = readTimmPreprocessing(pretrained);
  }
  if (const nlohmann::json* names = pretrained.find("label_names"); names != nullptr) {
    config.labels = pretrained.texts("label_names").valueOr({});
  }
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  if (!tensors.has("blocks.0.filter.w1")) {
    tensors.fail(fmt::format(
        "has the mixer '{}', which cannot run here: of AFNO's code the one with filter.w1 does",
        printable(tensors.first("blocks.*.filter"))));
  }
  ModelConfig config;
  const bool field = !tensors.has("head.bias") && tensors.has("head.weight");
  if (files.config_file.empty()) {
    readCheckpoint(tensors, field, config);
  } else {
    readConfig(files.fields(), tensors, config);
  }
  tensors.drop("pre_logits");  // in the code, but never called
  if (field) {
    constexpr std::array<Renaming, 1> kField{{{"head", "field"}}};
    tensors.rename(kField);
    tensors.drop("norm");  // likewise
    config.final_norm = {false, "the field's network"};
    if (config.classes && *config.classes == 0) config.classes = {};
  }
  config.heads = {1, "the number of heads"};
  config.class_token.value = false;
  config.qkv_bias = {};
  config.activation.value = Activation::kGelu;
  config.pooling.value = Pooling::kAverage;
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-6;
  return config;
}

}  // namespace afno

bool describesAfno(const ConfigFields& config) {
  const Field<std::string> name = config.text("architecture");
  return name && *name == afno::kArchitecture;
}

Family afnoFamily() { return {"AFNO", ConfigFormat::kTimm, {}, afno::recognises, afno::open}; }

}  // namespace adamerge
