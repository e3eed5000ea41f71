// SPDX-License-Identifier: GPL-3.0-or-later
// A run as JSON, and its trace as tables, RFC 4180.
#include "adamerge/report.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "adamerge/error.h"
#include "adamerge/result.h"
#include "engine/json_parts.h"
#include "lenses/parts.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

Json optionalNumber(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
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

/// Of `result` with `reference`.
Json fidelityObject(const ImageResult& reference, const ImageResult& result) {
  Json fidelity = {{"top1_agrees", nullptr}, {"logit_cosine", nullptr}, {"kl_divergence", nullptr}};
  if (!result.logits.empty()) {
    const Fidelity logits = compareLogits(reference.logits, result.logits);
    fidelity = {{"top1_agrees", logits.top1_agrees},
                {"logit_cosine", logits.logit_cosine},
                {"kl_divergence", logits.kl_divergence}};
  }
  fidelity["embedding_cosine"] = embeddingCosine(reference, result);
  fidelity["patch_cosine"] = patchCosine(reference, result);
  return fidelity;
}

Json againstObject(const ModelInfo& model, const OtherRun& other, const ImageResult& result) {
  Json json = {
      {"method", other.choice.method},
      {"settings", settingsObject(other.choice, model.vit)},
      {"prediction", predictions(other.result, model)},
      {"fidelity", fidelityObject(other.result, result)},
      {"flops", {{"paper", other.result.flops.paper}, {"total", other.result.flops.total}}}};
  json["layers"] = Json::array();
  for (std::size_t i = 0; i < other.change.size(); ++i) {
    const LayerTrace& layer = other.result.layers.at(i);
    const auto otherwise = groupedOtherwise(layer.groups, result.layers.at(i).groups);
    json["layers"].push_back({{"index", layer.index},
                              {"tokens_out", layer.tokens_out},
                              {"change_mean", other.change[i].mean},
                              {"change_worst", other.change[i].worst},
                              {"patches_grouped_otherwise", otherwise}});
  }
  return json;
}

Json inspectObject(const Engine& engine, const InspectReport& report) {
  const ModelInfo& model = engine.info();
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
               {"settings", settingsObject(report.choice, model.vit)},
               {"calibrated", report.result.calibrated},
               {"notes", report.notes},
               {"warnings", report.result.warnings},
               {"device", engine.device()},
               {"dtype", engine.dtype()},
               {"prediction", predictions(report.result, model)},
               {"baseline_prediction", predictions(report.baseline, model)},
               {"logits", report.result.logits},
               {"embedding", report.result.embedding},
               {"fidelity", fidelityObject(report.baseline, report.result)},
               {"flops",
                {{"paper", report.result.flops.paper},
                 {"total", report.result.flops.total},
                 {"baseline_paper", report.baseline.flops.paper},
                 {"baseline_total", report.baseline.flops.total}}}};
  if (Json compensator = compensatorObject(completeSettings(report.choice, model.vit));
      !compensator.is_null()) {
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
  if (report.against) json["against"] = againstObject(model, *report.against, report.result);
  return json;
}

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

std::string inspectJson(const Engine& engine, std::span<const InspectReport> reports,
                        bool as_array) {
  if (!as_array && reports.size() == 1) return jsonText(inspectObject(engine, reports[0]));
  Json list = Json::array();
  for (const InspectReport& report : reports) list.push_back(inspectObject(engine, report));
  return jsonText(list);
}

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
