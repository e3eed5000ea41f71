// SPDX-License-Identifier: GPL-3.0-or-later
#include "recipe.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge::training {
namespace {

/// Calls `visit` with the name of the option and the member for each.
template <class AnyRecipe, class Visitor>
void visitFields(AnyRecipe& recipe, const Visitor& visit) {
  visit("image-size", recipe.image_size);
  visit("patch-size", recipe.patch_size);
  visit("width", recipe.width);
  visit("depth", recipe.depth);
  visit("heads", recipe.heads);
  visit("mlp-ratio", recipe.mlp_ratio);
  visit("layer-scale", recipe.layer_scale);
  visit("mean", recipe.mean);
  visit("std", recipe.std);
  visit("epochs", recipe.epochs);
  visit("batch", recipe.batch);
  visit("learning-rate", recipe.learning_rate);
  visit("warm-up", recipe.warm_up);
  visit("layer-decay", recipe.layer_decay);
  visit("average", recipe.average);
  visit("weight-decay", recipe.weight_decay);
  visit("beta1", recipe.beta1);
  visit("beta2", recipe.beta2);
  visit("clip", recipe.clip);
  visit("padding", recipe.padding);
  visit("flip", recipe.flip);
  visit("mixup", recipe.mixup);
  visit("mixup-share", recipe.mixup_share);
  visit("label-smoothing", recipe.label_smoothing);
  visit("stochastic-depth", recipe.stochastic_depth);
  visit("keep-patches", recipe.keep_patches);
  visit("method", recipe.method);
  visit("settings", recipe.settings);
  visit("hold-out", recipe.hold_out);
  visit("limit", recipe.limit);
  visit("seed", recipe.seed);
  visit("log-every", recipe.log_every);
  visit("dtype", recipe.dtype);
}

/// Settings that the first checkpoints do not have; they were made with the defaults.
bool isLater(std::string_view name) {
  return name == "layer-scale" || name == "mean" || name == "std" || name == "layer-decay" ||
         name == "average" || name == "method" || name == "settings";
}

/// The first checkpoints that tell of merging have ToMe's r by itself.
Settings settingsIn(const nlohmann::json& json) {
  Settings settings;
  if (json.contains("settings")) {
    for (const auto& [key, value] : json.at("settings").items()) {
      const std::optional<SettingValue> setting = settingFromJson(value);
      if (!setting) throw Error(fmt::format("{} is no setting's value", key));
      settings[key] = *setting;
    }
  } else if (json.value("method", "none") != "none") {
    settings["r"] = json.at("r").get<std::int64_t>();
  }
  return settings;
}

bool parseNumber(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void requireUsable(const Recipe& recipe) {
  if (recipe.image_size % recipe.patch_size != 0) {
    throw Error(
        fmt::format("--image-size {}: a multiple of --patch-size {} is expected, so that whole "
                    "patches cover the image",
                    recipe.image_size, recipe.patch_size));
  }
  if (recipe.width % recipe.heads != 0) {
    throw Error(
        fmt::format("--heads {}: a divisor of --width {} is expected", recipe.heads, recipe.width));
  }
  if (recipe.width * recipe.mlp_ratio < 1) {
    throw Error(fmt::format("--mlp-ratio {}: with --width {} the MLP has no unit", recipe.mlp_ratio,
                            recipe.width));
  }
  double begin = 0;
  for (const PatchStage& stage : recipe.keep_patches) {
    if (!(stage.keep > 0 && stage.keep <= 1 && stage.until > begin && stage.until <= 1)) {
      throw Error(
          fmt::format("--keep-patches {}: a list of KEEP:UNTIL is expected, both above 0 and at "
                      "most 1, UNTIL ascending",
                      stagesText(recipe.keep_patches)));
    }
    begin = stage.until;
  }
}

VitConfig architectureOf(const Recipe& recipe, int classes) {
  VitConfig vit;
  vit.input_height = vit.input_width = recipe.image_size;
  vit.patch_size = recipe.patch_size;
  vit.dim = recipe.width;
  vit.depth = recipe.depth;
  vit.heads = recipe.heads;
  vit.mlp_hidden = static_cast<int>(recipe.width * recipe.mlp_ratio);
  vit.position_grid_height = vit.position_grid_width = recipe.image_size / recipe.patch_size;
  vit.layer_scale = recipe.layer_scale;
  vit.classes = classes;
  return vit;
}

Preprocessing preprocessingOf(const Recipe& recipe) {
  Preprocessing preprocessing;
  preprocessing.resize_height = preprocessing.resize_width = recipe.image_size;
  preprocessing.crop_height = preprocessing.crop_width = recipe.image_size;
  preprocessing.mean = recipe.mean;
  preprocessing.std = recipe.std;
  return preprocessing;
}

nlohmann::ordered_json toJson(const Recipe& recipe) {
  nlohmann::ordered_json json;
  visitFields(recipe, [&json]<class T>(const char* name, const T& value) {
    if constexpr (std::is_same_v<T, std::vector<PatchStage>>) {
      json[name] = stagesText(value);
    } else if constexpr (std::is_same_v<T, Settings>) {
      json[name] = adamerge::toJson(value);
    } else {
      json[name] = value;
    }
  });
  return json;
}

Recipe recipeFromJson(const nlohmann::json& json) {
  Recipe recipe;
  visitFields(recipe, [&json]<class T>(const char* name, T& value) {
    if constexpr (std::is_same_v<T, std::vector<PatchStage>>) {
      value = parseStages(json.at(name).template get<std::string>());
    } else if constexpr (std::is_same_v<T, Settings>) {
      value = settingsIn(json);
    } else if (json.contains(name) || !isLater(name)) {
      value = json.at(name).template get<T>();
    }
  });
  return recipe;
}

std::string stagesText(const std::vector<PatchStage>& stages) {
  std::string text;
  for (const PatchStage& stage : stages) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", stage.keep, stage.until);
  }
  return text;
}

std::vector<PatchStage> parseStages(const std::string& text) {
  std::vector<PatchStage> stages;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    PatchStage stage;
    const std::size_t colon = part.find(':');
    const std::string_view whole = part;
    if (colon == std::string::npos || !parseNumber(whole.substr(0, colon), stage.keep) ||
        !parseNumber(whole.substr(colon + 1), stage.until)) {
      throw Error(fmt::format(
          "--keep-patches takes a list of KEEP:UNTIL as 0.286:0.55,0.429:0.78, not '{}'", text));
    }
    stages.push_back(stage);
  }
  return stages;
}

}  // namespace adamerge::training
