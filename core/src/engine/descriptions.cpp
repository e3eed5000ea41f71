// SPDX-License-Identifier: GPL-3.0-or-later
// Models, methods and preprocessing in words and as JSON, and as figures store them.
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "engine/json_parts.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

const char* name(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kNearest:
      return "nearest";
    case Interpolation::kBilinear:
      return "bilinear";
    case Interpolation::kBicubic:
      return "bicubic";
    case Interpolation::kLanczos:
      return "lanczos";
  }
  return "";
}

const char* name(Preprocessing::Resize resize) {
  switch (resize) {
    case Preprocessing::Resize::kShorterSide:
      return "shorter_side";
    case Preprocessing::Resize::kLongerSide:
      return "longer_side";
    case Preprocessing::Resize::kExact:
      return "squash";
  }
  return "";
}

const char* name(Pooling pooling) {
  switch (pooling) {
    case Pooling::kToken:
      return "token";
    case Pooling::kAverage:
      return "avg";
    case Pooling::kMaximum:
      return "max";
    case Pooling::kAverageAndMaximum:
      return "avgmax";
    case Pooling::kTokenAndAverage:
      return "token+avg";
    case Pooling::kAttention:
      return "map";
    case Pooling::kSelfAttention:
      return "prr";
  }
  return "";
}

/// "table", "rotary", "relative", in the order in which they act, with a plus between; "none".
std::string positions(const VitConfig& vit) {
  std::string text = vit.position_table ? "table" : "";
  if (vit.isRotary()) text += text.empty() ? "rotary" : "+rotary";
  if (vit.hasRelativeBias()) text += text.empty() ? "relative" : "+relative";
  if (vit.windows.relative) text += text.empty() ? "decomposed" : "+decomposed";
  return text.empty() ? "none" : text;
}

/// The settings in force that differ from their defaults. `named`: as they stand behind a method's
/// name, with its count and what captions always have. `vit`: null where defaults are those of no
/// model in particular.
std::vector<std::string> changed(const MethodChoice& choice, const VitConfig* vit, bool named) {
  const MethodInfo& method = findMethod(choice.method);
  const Settings settings =
      vit != nullptr ? completeSettings(choice, *vit) : completeSettings(choice);
  const CompressionKnob* knob = method.activeKnob(settings);
  std::vector<std::string> parts;
  for (const SettingInfo& setting : method.settings) {
    const auto found = settings.find(setting.key);
    if (found == settings.end() || !isActive(setting, settings)) continue;
    if (vit != nullptr && !suits(setting, *vit)) continue;
    const bool counts = knob != nullptr && setting.key == knob->key;
    const SettingValue usual = vit != nullptr ? defaultOf(setting, *vit) : setting.fallback;
    const bool told = counts ? named : (named && setting.in_name) || found->second != usual;
    if (told) parts.push_back(setting.label + " " + toText(found->second));
  }
  return parts;
}

std::string described(const MethodChoice& choice, const VitConfig* vit, bool named) {
  std::string text = findMethod(choice.method).label;
  for (const std::string& part : changed(choice, vit, named)) text += ", " + part;
  return text;
}

constexpr int kMostBlocks = 10000;

constexpr const char* kPlace = "the settings stored in the figure cannot be used";

Settings settingsOf(const JsonFields& fields, const std::string& method) {
  const Settings settings = fields.settings("settings").required();
  try {
    return completeSettings({method, settings, nullptr, false});
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", kPlace, error.what()));
  }
}

Provenance provenanceOf(const nlohmann::json& json) {
  const JsonFields fields = JsonFields::of(json, kPlace);
  fields.count("format", kProvenanceFormat, kProvenanceFormat).required();
  Provenance provenance;
  if (fields.object().contains("trace")) {
    throw Error(fmt::format("{}: it shows a trace, {}, whose method is its own", kPlace,
                            fields.text("trace").required()));
  }
  provenance.model = fields.text("model").required();
  provenance.model_source = fields.text("model_source").required();
  provenance.image = fields.text("image").required();
  provenance.choice.method = fields.text("method").required();
  provenance.choice.settings = settingsOf(fields, provenance.choice.method);
  if (!fields.object().contains("block")) fields.fail("block", "is missing");
  provenance.layer = fields.count("block", 1, kMostBlocks).valueOr(0) - 1;
  provenance.device = fields.text("device").required();
  provenance.dtype = fields.text("dtype").required();
  return provenance;
}

}  // namespace

nlohmann::ordered_json modelObject(const ModelInfo& info) {
  const VitConfig& vit = info.vit;
  return {{"name", info.name},
          {"input_size", {vit.input_height, vit.input_width}},
          {"patch_size", vit.patch_size},
          {"grid", {vit.gridHeight(), vit.gridWidth()}},
          {"depth", vit.depth},
          {"dim", vit.dim},
          {"heads", vit.mixesByFourier() ? Json(nullptr) : Json(vit.heads)},
          {"prefix_tokens", vit.prefixTokens()},
          {"classes", vit.classes},
          {"head", info.head.empty() ? Json(nullptr) : Json(info.head.string())},
          {"dense_head", info.dense_head.empty() ? Json(nullptr) : Json(info.dense_head.string())},
          {"weight_set", info.weight_set.empty() ? Json(nullptr) : Json(info.weight_set)}};
}

Settings settingsInForce(const MethodChoice& choice, const VitConfig& vit) {
  const Settings complete = completeSettings(choice);
  Settings active;
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    const auto found = complete.find(setting.key);
    if (found == complete.end() || !suits(setting, vit)) continue;
    if (isActive(setting, complete)) active[setting.key] = found->second;
  }
  return active;
}

std::vector<std::string> changedSettings(const MethodChoice& choice, const VitConfig* vit) {
  return changed(choice, vit, /*named=*/false);
}

std::string describeFamily(const MethodChoice& choice, const VitConfig* vit) {
  return described(choice, vit, /*named=*/false);
}

std::string describe(const MethodChoice& choice) {
  return described(choice, nullptr, /*named=*/true);
}
std::string describe(const MethodChoice& choice, const VitConfig& vit) {
  return described(choice, &vit, /*named=*/true);
}

std::string describe(const Preprocessing& p) {
  std::string resize;
  if (p.in_corner) {
    return fmt::format(
        "longest side to {}, {}, in the corner of {} x {} with zeros around, mean {:.3g} {:.3g} "
        "{:.3g}, std {:.3g} {:.3g} {:.3g}",
        std::max(p.resize_width, p.resize_height), name(p.interpolation), p.crop_width,
        p.crop_height, p.mean[0], p.mean[1], p.mean[2], p.std[0], p.std[1], p.std[2]);
  }
  switch (p.resize) {
    case Preprocessing::Resize::kShorterSide:
      resize = fmt::format("shorter side to {}", std::min(p.resize_height, p.resize_width));
      break;
    case Preprocessing::Resize::kLongerSide:
      resize = fmt::format("fitted into {} x {}", p.resize_width, p.resize_height);
      break;
    case Preprocessing::Resize::kExact:
      resize = fmt::format("squashed to {} x {}", p.resize_width, p.resize_height);
      break;
  }
  if (p.floating_point) resize += " in floating point";
  return fmt::format(
      "{}, {}, centre crop {} x {}, mean {:.3g} {:.3g} {:.3g}, std {:.3g} {:.3g} {:.3g}", resize,
      name(p.interpolation), p.crop_width, p.crop_height, p.mean[0], p.mean[1], p.mean[2], p.std[0],
      p.std[1], p.std[2]);
}

nlohmann::ordered_json settingsObject(const MethodChoice& choice, const VitConfig& vit) {
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice, vit);
  return toJson(settingsInForce(complete, vit));
}

std::string settingsJson(const MethodChoice& choice, const VitConfig& vit) {
  return settingsObject(choice, vit).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string modelJson(const Engine& engine) {
  const ModelInfo& info = engine.info();
  const Preprocessing& p = info.preprocessing;
  const Flops flops = unmergedFlops(info.vit);
  Json json = modelObject(info);
  json["architecture"] = info.architecture;
  json["source"] = info.source.string();
  json["mlp_hidden"] = info.vit.mlp_hidden;
  json["family"] = info.family;
  json["pooling"] = name(info.vit.pooling);
  json["embedding_width"] = info.vit.embeddingWidth();
  json["positions"] = positions(info.vit);
  json["resampling"] = kResamplingNames[static_cast<std::size_t>(info.vit.resampling)];
  json["tokens"] = info.vit.prefixTokens() + info.vit.patchTokens();
  json["parameters"] = info.parameters;
  json["flops"] = {{"paper", flops.paper}, {"total", flops.total}};
  json["labels"] = info.labels;
  json["preprocessing"] = {{"resize", name(p.resize)},
                           {"resize_size", {p.resize_height, p.resize_width}},
                           {"crop_size", {p.crop_height, p.crop_width}},
                           {"interpolation", name(p.interpolation)},
                           {"mean", p.mean},
                           {"std", p.std}};
  if (info.vit.isWindowed()) {
    json["windows"] = info.vit.windows.sides;
    json["neck_channels"] = info.vit.neck_channels;
  }
  const std::string calibrated = info.vit.restores() ? "calibrated_ratio" : "calibrated_r_max";
  json[calibrated] = Json::array();
  if (const auto statistics = engine.statistics()) {
    for (const StatisticsEntry& entry : statistics->entries) {
      json[calibrated].push_back(entry.r_max);
    }
  }
  json["device"] = engine.device();
  json["dtype"] = engine.dtype();
  json["libtorch"] = torchVersion();
  json["devices"] = Json::array();
  for (const Device& device : availableDevices()) {
    json["devices"].push_back({{"id", device.id}, {"name", device.name}});
  }
  json["notes"] = info.notes;
  return jsonText(json);
}

std::string scheduleJson(const Engine& engine, const MethodChoice& choice, double target,
                         const SchedulePoint& point) {
  MethodChoice chosen = choice;
  chosen.settings[point.key] = std::int64_t{point.value};
  const Json json = {{"model", engine.info().name},
                     {"method", choice.method},
                     {"target_paper", target},
                     {"setting", {{point.key, point.value}}},
                     {"settings", settingsObject(chosen, engine.info().vit)},
                     {"calibrated", point.calibrated},
                     {"images", point.images},
                     {"device", engine.device()},
                     {"dtype", engine.dtype()},
                     {"flops",
                      {{"paper", point.flops.paper},
                       {"total", point.flops.total},
                       {"baseline_paper", point.unmerged}}},
                     {"tokens_per_block", point.tokens_per_block}};
  return jsonText(json);
}

std::string provenanceJson(const ModelInfo& model, std::string_view device, std::string_view dtype,
                           std::string_view image, const MethodChoice& choice, int layer) {
  using Ordered = nlohmann::ordered_json;
  const Ordered json = {{"format", kProvenanceFormat},
                        {"program", kProgram},
                        {"model", model.name},
                        {"model_source", model.source.string()},
                        {"image", image},
                        {"method", choice.method},
                        {"settings", toJson(completeSettings(choice))},
                        {"block", layer < 0 ? Ordered(nullptr) : Ordered(layer + 1)},
                        {"device", device},
                        {"dtype", dtype}};
  return json.dump(-1, ' ', true, Ordered::error_handler_t::replace);
}

std::vector<Provenance> parseProvenance(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(fmt::format("{}: it is not valid JSON", kPlace));
  if (!json.is_array()) return {provenanceOf(json)};
  if (json.empty()) throw Error(fmt::format("{}: it is an empty list", kPlace));
  std::vector<Provenance> list;
  // A trace beside a run of ours has no settings to restore.
  for (const nlohmann::json& entry : json) {
    if (!entry.is_object() || !entry.contains("trace")) list.push_back(provenanceOf(entry));
  }
  if (list.empty()) list.push_back(provenanceOf(json.front()));
  return list;
}

}  // namespace adamerge
