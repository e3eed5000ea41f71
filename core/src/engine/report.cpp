// SPDX-License-Identifier: GPL-3.0-or-later
// The trace as tables, RFC 4180.
#include "adamerge/report.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "adamerge/error.h"
#include "adamerge/result.h"
#include "engine/layer_json.h"
#include "lenses/parts.h"
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
          {"heads", vit.mixesByFourier() ? Json(nullptr) : Json(vit.heads)},
          {"prefix_tokens", vit.prefixTokens()},
          {"classes", vit.classes},
          {"head", info.head.empty() ? Json(nullptr) : Json(info.head.string())},
          {"dense_head", info.dense_head.empty() ? Json(nullptr) : Json(info.dense_head.string())},
          {"weight_set", info.weight_set.empty() ? Json(nullptr) : Json(info.weight_set)}};
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

void addDetails(const MethodDetails& details, Json& json) {
  const auto add = [&json](const char* key, const auto& list) {
    if (!list.empty()) json[key] = list;
  };
  add("score", details.score);
  add("component", details.component);
  add("taken", details.taken);
  add("quota", details.quota);
  if (details.threshold) json["threshold"] = optionalNumber(details.threshold);
  if (details.variance) json["variance"] = optionalNumber(details.variance);
  add("action", details.action);
  add("prompted", details.prompted);
  add("grid", details.grid);
  // One number or list where all heads share it, else one a head.
  if (details.keys.size() == 1) json["keys"] = details.keys.front();
  if (details.keys.size() > 1) json["keys"] = details.keys;
  if (details.pruned_keys.size() == 1) json["pruned_keys"] = details.pruned_keys.front();
  if (details.pruned_keys.size() > 1) json["pruned_keys"] = details.pruned_keys;
  add("quartiles", details.quartiles);
  add("seeds", details.seeds);
  add("centres", details.centres);
  if (!details.joins.empty()) {
    Json joins = Json::array();
    for (const ClusterJoin& join : details.joins) {
      joins.push_back({join.first, join.second, join.distance});
    }
    json["joins"] = joins;
  }
  add("note", details.note);
}

/// NaN is null; so is a map that was not computed.
Json listOf(const std::vector<float>& values) {
  if (values.empty()) return nullptr;
  Json list = Json::array();
  for (const float value : values)
    list.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
  return list;
}

Json mapObject(const LensMap& map) {
  if (map.values.empty()) return nullptr;
  return {{"patches", listOf(map.values)}, {"prefix", map.prefix}};
}

Json lensObject(const LensReport& lens, int grid_width) {
  Json json = {{"block", lens.block}, {"patch", nullptr}, {"prefix_token", nullptr}};
  if (lens.token && lens.token->patch) {
    json["patch"] = {lens.token->index % grid_width, lens.token->index / grid_width};
  } else if (lens.token) {
    json["prefix_token"] = lens.token->index;
  }
  json["head"] = lens.head < 0 ? Json(nullptr) : Json(lens.head);
  json["looks"] = mapObject(lens.looks);
  json["looked_at"] = mapObject(lens.looked_at);
  json["received"] = lens.received ? Json(*lens.received) : Json(nullptr);
  json["entropy"] = lens.entropy;
  json["rollout"] = nullptr;
  if (!lens.rollout.patches.empty()) {
    json["rollout"] = {{"patches", lens.rollout.patches}, {"prefix", lens.rollout.prefix}};
  }
  json["similarity"] = listOf(lens.similarity.values);
  json["norm"] = listOf(lens.norm.values);
  json["change"] = listOf(lens.change.values);
  return json;
}

/// Null where no token compensator acts. Its degrees: the merges a block that the model was trained
/// with, and those that it runs with.
Json compensatorObject(const Settings& settings) {
  const auto file = settings.find("compensator");
  if (file == settings.end()) return nullptr;
  const std::filesystem::path path = std::get<std::string>(file->second);
  if (path.empty()) return nullptr;
  return {{"name", path.filename().string()},
          {"source", std::get<std::int64_t>(settings.at("source"))},
          {"target", std::get<std::int64_t>(settings.at("r"))}};
}

Json classMapObject(const ClassMap& unmerged, const ClassMap& merged) {
  Json json = {{"map", merged.patches}};
  json.update(agreementJson(compareMaps(unmerged, merged)));
  return json;
}

Json inspectObject(const Engine& engine, const InspectReport& report) {
  const ModelInfo& model = engine.info();
  MethodChoice resolved = report.choice;
  resolved.settings = completeSettings(report.choice, model.vit);
  Json fidelity = {{"top1_agrees", nullptr}, {"logit_cosine", nullptr}, {"kl_divergence", nullptr}};
  if (!report.result.logits.empty()) {
    const Fidelity logits = compareLogits(report.baseline.logits, report.result.logits);
    fidelity = {{"top1_agrees", logits.top1_agrees},
                {"logit_cosine", logits.logit_cosine},
                {"kl_divergence", logits.kl_divergence}};
  }
  fidelity["embedding_cosine"] = embeddingCosine(report.baseline, report.result);
  fidelity["patch_cosine"] = patchCosine(report.baseline, report.result);
  Rectangle crop = report.crop;
  if (model.preprocessing.in_corner) {  // what is beyond the picture is no part of it
    crop = {0, 0, static_cast<double>(report.image_width),
            static_cast<double>(report.image_height)};
  }
  Json json = {{"image", report.image},
               {"image_size", {report.image_height, report.image_width}},
               {"crop", {crop.x, crop.y, crop.width, crop.height}},
               {"model", modelObject(model)},
               {"method", report.choice.method},
               {"settings", toJson(settingsInForce(resolved, model.vit))},
               {"calibrated", report.result.calibrated},
               {"warnings", report.result.warnings},
               {"device", engine.device()},
               {"dtype", engine.dtype()},
               {"prediction", predictions(report.result, model)},
               {"baseline_prediction", predictions(report.baseline, model)},
               {"logits", report.result.logits},
               {"embedding", report.result.embedding},
               {"fidelity", fidelity},
               {"flops",
                {{"paper", report.result.flops.paper},
                 {"total", report.result.flops.total},
                 {"baseline_paper", report.baseline.flops.paper},
                 {"baseline_total", report.baseline.flops.total}}}};
  if (Json compensator = compensatorObject(resolved.settings); !compensator.is_null()) {
    json["compensator"] = std::move(compensator);
  }
  if (report.result.classes != nullptr && report.baseline.classes != nullptr) {
    json["dense"] = classMapObject(*report.baseline.classes, *report.result.classes);
    if (!model.vit.dense.names.empty()) json["dense_classes"] = model.vit.dense.names;
  }
  if (!report.result.field.empty() && !report.baseline.field.empty()) {
    const FieldError error = fieldError(report.baseline, report.result, model.vit.field_channels);
    json["field"] = {
        {"size", {model.vit.field_channels, model.vit.input_height, model.vit.input_width}},
        {"relative_error", error.relative},
        {"rmse", error.rmse}};
  }
  json["layers"] = Json::array();
  const std::vector<LayerTrace>& layers = report.result.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    json["layers"].push_back(
        layerJson(layers[i], i < report.change.size() ? &report.change[i] : nullptr));
  }
  if (report.lens) json["lens"] = lensObject(*report.lens, model.vit.gridWidth());
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

}  // namespace

nlohmann::ordered_json agreementJson(const MapAgreement& maps) {
  return {{"patch_agreement", maps.patch_agreement},
          {"patch_miou", maps.patch_miou},
          {"pixel_agreement", maps.pixel_agreement},
          {"pixel_miou", maps.pixel_miou}};
}

nlohmann::ordered_json layerJson(const LayerTrace& layer, const FeatureChange* change) {
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
  json["change_mean"] = change != nullptr ? Json(change->mean) : Json(nullptr);
  json["change_worst"] = change != nullptr ? Json(change->worst) : Json(nullptr);
  json["groups"] = layer.groups;
  json["dropped"] = layer.dropped;
  if (layer.restored) {
    json["restored"] = true;
    json["tokens_inside"] = layer.tokens_inside;
    if (!layer.window.empty()) {
      json["window"] = layer.window;
      json["padding"] = layer.padding;
    }
  }
  addDetails(layer.details, json);
  return json;
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

namespace {

/// `vit`: null where defaults are those of no model in particular.
std::string described(const MethodChoice& choice, const VitConfig* vit) {
  const MethodInfo& method = findMethod(choice.method);
  const Settings settings =
      vit != nullptr ? completeSettings(choice, *vit) : completeSettings(choice);
  const CompressionKnob* knob = method.activeKnob(settings);
  std::string text = method.label;
  for (const SettingInfo& setting : method.settings) {
    const auto found = settings.find(setting.key);
    if (found == settings.end() || !isActive(setting, settings)) continue;
    if (vit != nullptr && !suits(setting, *vit)) continue;
    const bool counts = knob != nullptr && setting.key == knob->key;
    const SettingValue usual = vit != nullptr ? defaultOf(setting, *vit) : setting.fallback;
    if (!counts && !setting.in_name && found->second == usual) continue;
    text += fmt::format(", {} {}", setting.label, toText(found->second));
  }
  return text;
}

}  // namespace

std::string describe(const MethodChoice& choice) { return described(choice, nullptr); }
std::string describe(const MethodChoice& choice, const VitConfig& vit) {
  return described(choice, &vit);
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

LensReport lensReport(const Recording& run, const Recording& unmerged, int block,
                      const std::optional<LensToken>& token, int head,
                      const std::stop_token& stop) {
  LensReport report;
  report.block = block;
  report.token = token;
  report.head = head;
  LensQuery query;
  query.token = token.value_or(LensToken{});
  query.head = head;
  if (hasAttentionMaps(run)) {
    const AttentionMaps maps = run.attention(block, stop);
    report.entropy = entropy(maps);
    const bool dropped =
        token && token->patch && maps.seen.groups[static_cast<std::size_t>(token->index)] < 0;
    if (token && !dropped) {
      requireLens(run, query);
      report.looks = attentionMap(maps, query);
      query.looked_at = true;
      report.looked_at = attentionMap(maps, query);
      report.received = received(maps, positionOf(maps, *token), head);
    }
    report.rollout = rollout(run, stop);
  } else if (attendsInWindows(run) && token) {
    requireLens(run, query);
    WindowLooks looks = windowLooks(run, block, token->index, /*looked_at=*/false, stop);
    report.looks = mapOf(looks, head);
    report.entropy = std::move(looks.entropy);
    report.looked_at = mapOf(windowLooks(run, block, token->index, /*looked_at=*/true, stop), head);
  }
  const auto of = [&](LensKind kind) {
    query.kind = kind;
    return lensMap(run, &unmerged, block, query, stop);
  };
  if (token && token->patch) report.similarity = of(LensKind::kSimilarity);
  report.norm = of(LensKind::kNorm);
  report.change = of(LensKind::kChange);
  return report;
}

std::string settingsJson(const MethodChoice& choice, const VitConfig& vit) {
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice, vit);
  return toJson(settingsInForce(complete, vit))
      .dump(-1, ' ', false, Json::error_handler_t::replace);
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
  chosen.settings = completeSettings(chosen, engine.info().vit);
  const Json json = {{"model", engine.info().name},
                     {"method", choice.method},
                     {"target_paper", target},
                     {"setting", {{point.key, point.value}}},
                     {"settings", toJson(settingsInForce(chosen, engine.info().vit))},
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

namespace {

std::string cell(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : std::string();
}

/// Per group, as numbered in `groups`, the patch that stands for it.
std::vector<int> patchOfGroup(const std::vector<int>& groups, const std::vector<int>& survivors) {
  std::vector<int> patches(groups.size(), -1);
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    patches[static_cast<std::size_t>(groups[patch])] = survivors[patch];
  }
  return patches;
}

}  // namespace

std::string traceCsv(const ImageResult& result) {
  std::string csv = "block,tokens_in,tokens_out,merged,redundancy,mu,sigma,z\r\n";
  for (const LayerTrace& layer : result.layers) {
    csv += fmt::format("{},{},{},{},{},{},{},{}\r\n", layer.index + 1, layer.tokens_in,
                       layer.tokens_out, layer.merged, cell(layer.redundancy), cell(layer.mu),
                       cell(layer.sigma), cell(layer.z));
  }
  return csv;
}

std::string mergesCsv(const ImageResult& result) {
  std::string csv =
      "block,source_group,destination_group,source_patch,destination_patch,similarity\r\n";
  if (result.layers.empty()) return csv;
  std::vector<int> patches(result.layers.front().groups.size());
  std::iota(patches.begin(), patches.end(), 0);
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const LayerTrace& layer = result.layers[i];
    // Checks the merges of this block, too.
    const std::vector<int> survivors = survivingPatches(result.layers, static_cast<int>(i));
    for (const GroupMerge& merge : layer.merges) {
      csv += fmt::format(
          "{},{},{},{},{},{}\r\n", layer.index + 1, merge.source, merge.destination,
          patches[static_cast<std::size_t>(merge.source)],
          patches[static_cast<std::size_t>(merge.destination)],
          std::isfinite(merge.similarity) ? fmt::format("{}", merge.similarity) : std::string());
    }
    if (!layer.restored) patches = patchOfGroup(layer.groups, survivors);
  }
  return csv;
}

}  // namespace adamerge
