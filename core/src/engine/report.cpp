// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/report.h"

#include <fmt/format.h>

#include <cmath>

#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

Json optionalNumber(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json modelObject(const ModelInfo& info) {
  const VitConfig& vit = info.vit;
  return {{"name", info.name},
          {"input_size", {vit.input_height, vit.input_width}},
          {"patch_size", vit.patch_size},
          {"grid", {vit.gridHeight(), vit.gridWidth()}},
          {"depth", vit.depth},
          {"dim", vit.dim},
          {"heads", vit.heads},
          {"prefix_tokens", vit.prefixTokens()},
          {"classes", vit.classes}};
}

Json predictions(const ImageResult& result, const ModelInfo& model) {
  Json list = Json::array();
  if (model.vit.classes == 0) return list;
  for (const Prediction& prediction : topPredictions(result.logits, model.labels)) {
    list.push_back({{"index", prediction.index},
                    {"class", prediction.label},
                    {"probability", prediction.probability}});
  }
  return list;
}

Json layerObject(const LayerTrace& layer) {
  Json json = {{"index", layer.index},
               {"tokens_in", layer.tokens_in},
               {"tokens_out", layer.tokens_out},
               {"merged", layer.merged},
               {"redundancy", optionalNumber(layer.redundancy)},
               {"mu", optionalNumber(layer.mu)},
               {"sigma", optionalNumber(layer.sigma)},
               {"z", optionalNumber(layer.z)}};
  json["salience"] = layer.salience.empty() ? Json(nullptr) : Json(layer.salience);
  json["attention"] = layer.attention.empty() ? Json(nullptr) : Json(layer.attention);
  json["groups"] = layer.groups;
  return json;
}

Json inspectObject(const Engine& engine, const InspectReport& report) {
  const ModelInfo& model = engine.info();
  const Fidelity fidelity = compareLogits(report.baseline.logits, report.result.logits);
  Json json = {{"image", report.image},
               {"image_size", {report.image_height, report.image_width}},
               {"crop", {report.crop.x, report.crop.y, report.crop.width, report.crop.height}},
               {"model", modelObject(model)},
               {"method", report.choice.method},
               {"settings", toJson(settingsInForce(report.choice))},
               {"calibrated", report.result.calibrated},
               {"warnings", report.result.warnings},
               {"device", engine.device()},
               {"dtype", engine.dtype()},
               {"prediction", predictions(report.result, model)},
               {"baseline_prediction", predictions(report.baseline, model)},
               {"logits", report.result.logits},
               {"fidelity",
                {{"top1_agrees", fidelity.top1_agrees},
                 {"logit_cosine", fidelity.logit_cosine},
                 {"kl_divergence", fidelity.kl_divergence}}},
               {"flops",
                {{"paper", report.result.flops.paper},
                 {"total", report.result.flops.total},
                 {"baseline_paper", report.baseline.flops.paper},
                 {"baseline_total", report.baseline.flops.total}}}};
  json["layers"] = Json::array();
  for (const LayerTrace& layer : report.result.layers) json["layers"].push_back(layerObject(layer));
  return json;
}

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
    case Pooling::kTokenAndAverage:
      return "token+avg";
  }
  return "";
}

}  // namespace

Settings settingsInForce(const MethodChoice& choice) {
  const Settings complete = completeSettings(choice);
  Settings active;
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    if (isActive(setting, complete)) active[setting.key] = complete.find(setting.key)->second;
  }
  return active;
}

std::string describe(const MethodChoice& choice) {
  const MethodInfo& method = findMethod(choice.method);
  const CompressionKnob* knob = compressionKnob(choice);
  const Settings settings = settingsInForce(choice);
  std::string text = method.label;
  for (const SettingInfo& setting : method.settings) {
    const auto found = settings.find(setting.key);
    if (found == settings.end()) continue;
    const bool counts = knob != nullptr && setting.key == knob->key;
    if (!counts && !setting.in_name && found->second == setting.fallback) continue;
    text += fmt::format(", {} {}", setting.label, toText(found->second));
  }
  return text;
}

std::string describe(const Preprocessing& p) {
  std::string resize;
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

std::string inspectJson(const Engine& engine, std::span<const InspectReport> reports,
                        bool as_array) {
  if (!as_array && reports.size() == 1) return jsonText(inspectObject(engine, reports[0]));
  Json list = Json::array();
  for (const InspectReport& report : reports) list.push_back(inspectObject(engine, report));
  return jsonText(list);
}

std::string modelJson(const Engine& engine) {
  const ModelInfo& info = engine.info();
  const Preprocessing& p = info.preprocessing;
  const Flops flops = unmergedFlops(info.vit);
  Json json = modelObject(info);
  json["architecture"] = info.architecture;
  json["source"] = info.source.string();
  json["mlp_hidden"] = info.vit.mlp_hidden;
  json["pooling"] = name(info.vit.pooling);
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
  json["calibrated_r_max"] = Json::array();
  if (const auto statistics = engine.statistics()) {
    for (const StatisticsEntry& entry : statistics->entries) {
      json["calibrated_r_max"].push_back(entry.r_max);
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
                     {"settings", toJson(settingsInForce(chosen))},
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

}  // namespace adamerge
