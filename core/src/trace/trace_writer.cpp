// SPDX-License-Identifier: GPL-3.0-or-later
// Traces of runs of ours, and what a trace says as JSON.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "engine/json_parts.h"
#include "support/json.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

using Ordered = nlohmann::ordered_json;

std::string line(const Ordered& json) {
  return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

/// One row an image.
template <class T>
at::Tensor stacked(const std::vector<std::vector<T>>& rows, at::ScalarType type) {
  const auto width = static_cast<std::int64_t>(rows.front().size());
  at::Tensor tensor =
      at::empty({static_cast<std::int64_t>(rows.size()), width}, at::TensorOptions(type));
  T* to = tensor.data_ptr<T>();
  for (const std::vector<T>& row : rows) to = std::copy(row.begin(), row.end(), to);
  return tensor;
}

/// `take`'s row of every record; nothing where one of them is empty or of another length.
template <class T, class Take>
void add(StateDict& tensors, const std::string& name, std::span<const TraceRecord> records,
         at::ScalarType type, const Take& take) {
  std::vector<std::vector<T>> rows;
  for (const TraceRecord& record : records) rows.push_back(take(record));
  const std::size_t width = rows.front().size();
  const bool whole = width > 0 && std::all_of(rows.begin(), rows.end(),
                                              [&](const auto& row) { return row.size() == width; });
  if (whole) tensors[name] = stacked(rows, type);
}

/// As files number groups: -1 for patches whose token was dropped.
std::vector<int> groupsOf(const ImageResult& result, int index) {
  std::vector<int> groups = result.layers[static_cast<std::size_t>(index)].groups;
  const std::vector<bool> dropped = droppedPatches(result.layers, index);
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    if (dropped[patch]) groups[patch] = -1;
  }
  return groups;
}

/// Whether the groups of every block follow from those before; survivors then are one chain.
std::vector<int> survivorsOf(const ImageResult& result, int index) {
  const std::vector<bool> dropped = droppedPatches(result.layers, index);
  std::vector<int> survivors = survivingPatches(result.layers, index);
  const std::vector<int>& groups = result.layers[static_cast<std::size_t>(index)].groups;
  for (std::size_t patch = 0; patch < survivors.size(); ++patch) {
    const auto survivor = static_cast<std::size_t>(survivors[patch]);
    // Patches may outlive, in a token's count, the one that stood for it: then nobody is named.
    if (!dropped[patch] && (dropped[survivor] || groups[survivor] != groups[patch])) return {};
  }
  return survivors;
}

void addBlock(StateDict& tensors, std::span<const TraceRecord> records, int index) {
  const std::string name = fmt::format("block.{}.", index);
  const auto layer = [index](const TraceRecord& record) -> const LayerTrace& {
    return record.result->layers[static_cast<std::size_t>(index)];
  };
  add<int>(tensors, name + "groups", records, at::kInt,
           [&](const TraceRecord& record) { return groupsOf(*record.result, index); });
  add<int>(tensors, name + "survivors", records, at::kInt,
           [&](const TraceRecord& record) { return survivorsOf(*record.result, index); });
  add<float>(tensors, name + "salience", records, at::kFloat,
             [&](const TraceRecord& record) { return layer(record).salience; });
  add<float>(tensors, name + "attention", records, at::kFloat,
             [&](const TraceRecord& record) { return layer(record).attention; });
  if (const auto found = tensors.find(name + "attention"); found != tensors.end()) {
    found->second = found->second.unsqueeze(1);  // one head: the mean of all
  }
  add<int>(tensors, name + "window", records, at::kInt,
           [&](const TraceRecord& record) { return layer(record).window; });
  add<int>(tensors, name + "tokens_in", records, at::kInt,
           [&](const TraceRecord& record) { return std::vector<int>{layer(record).tokens_in}; });
  tensors[name + "tokens_in"] = tensors[name + "tokens_in"].flatten();
}

void addResults(StateDict& tensors, std::span<const TraceRecord> records) {
  add<float>(tensors, "logits", records, at::kFloat,
             [](const TraceRecord& record) { return record.result->logits; });
  const auto flops = [&](const std::string& name, const ImageResult* TraceRecord::*run) {
    add<double>(tensors, name, records, at::kDouble, [run](const TraceRecord& record) {
      return std::vector<double>{(record.*run)->flops.paper};
    });
    tensors[name] = tensors[name].flatten();
  };
  flops("flops", &TraceRecord::result);
  const bool baselines = std::all_of(records.begin(), records.end(), [](const TraceRecord& one) {
    return one.baseline != nullptr;
  });
  if (!baselines) return;
  add<float>(tensors, "baseline_logits", records, at::kFloat,
             [](const TraceRecord& record) { return record.baseline->logits; });
  flops("baseline_flops", &TraceRecord::baseline);
}

void addPicture(StateDict& tensors, std::size_t index, const Image* view) {
  if (view == nullptr) return;
  at::Tensor picture = at::empty({view->height, view->width, 3}, at::TensorOptions(at::kByte));
  std::copy(view->pixels.begin(), view->pixels.end(), picture.data_ptr<std::uint8_t>());
  tensors[fmt::format("image.{}", index)] = picture;
}

}  // namespace

void writeTrace(const std::filesystem::path& path, const ModelInfo& model,
                const MethodChoice& choice, std::span<const TraceRecord> records,
                std::string_view producer) {
  const VitConfig& vit = model.vit;
  if (records.empty()) throw Error(fmt::format("{}: a trace needs an image", path.string()));
  const auto patches = static_cast<std::size_t>(vit.patchTokens());
  StateDict tensors;
  Ordered images = Ordered::array();
  for (std::size_t index = 0; index < records.size(); ++index) {
    const ImageResult& result = *records[index].result;
    const bool traced =
        result.layers.size() == static_cast<std::size_t>(vit.depth) &&
        std::all_of(result.layers.begin(), result.layers.end(),
                    [&](const LayerTrace& layer) { return layer.groups.size() == patches; });
    if (!traced) {
      throw Error(
          fmt::format("{}: the run of {} was not traced", path.string(), records[index].name));
    }
    images.push_back(records[index].name);
    addPicture(tensors, index, records[index].view);
  }
  for (int index = 0; index < vit.depth; ++index) addBlock(tensors, records, index);
  addResults(tensors, records);
  SafetensorsMetadata metadata{{"format", "adamerge-trace"},
                               {"version", "1"},
                               {"model", model.name},
                               {"method", findMethod(choice.method).label},
                               {"settings", settingsJson(choice, vit)},
                               {"grid", line(Ordered{vit.gridHeight(), vit.gridWidth()})},
                               {"prefix_tokens", std::to_string(vit.prefixTokens())},
                               {"images", line(images)},
                               {"producer", std::string(producer)}};
  if (vit.classes > 0) metadata["classes"] = line(Ordered(model.labels));
  writeSafetensors(path, tensors, metadata);
}

namespace {

Ordered predictionsOf(const std::vector<float>& logits, const TraceInfo& info) {
  Ordered list = Ordered::array();
  for (const Prediction& prediction : topPredictions(logits, info.classes)) {
    list.push_back({{"index", prediction.index},
                    {"class", prediction.label},
                    {"probability", prediction.probability}});
  }
  return list;
}

Ordered traceObject(const TraceInfo& info, const TracedImage& image) {
  const Ordered null(nullptr);
  Ordered fidelity = null;
  if (!image.result.logits.empty() && !image.baseline.logits.empty()) {
    const Fidelity logits = compareLogits(image.baseline.logits, image.result.logits);
    fidelity = {{"top1_agrees", logits.top1_agrees},
                {"logit_cosine", logits.logit_cosine},
                {"kl_divergence", logits.kl_divergence}};
  }
  Ordered size = null;
  if (image.view) size = {image.view->height, image.view->width};
  Ordered json = {
      {"image", image.name},
      {"image_size", size},
      {"trace", info.file.string()},
      {"model",
       {{"name", info.model},
        {"grid", {info.grid_height, info.grid_width}},
        {"depth", info.depth},
        {"prefix_tokens", info.prefix_tokens},
        {"classes", info.has_logits ? Ordered(info.classes.size()) : null}}},
      {"method", info.method},
      {"settings", Ordered::parse(info.settings_json)},
      {"prediction", predictionsOf(image.result.logits, info)},
      {"baseline_prediction", predictionsOf(image.baseline.logits, info)},
      {"logits", image.result.logits},
      {"fidelity", fidelity},
      {"flops",
       {{"paper", info.has_flops ? Ordered(image.result.flops.paper) : null},
        {"baseline_paper", info.has_baseline_flops ? Ordered(image.baseline.flops.paper) : null}}}};
  json["layers"] = Ordered::array();
  for (const LayerTrace& layer : image.result.layers) json["layers"].push_back(layerJson(layer));
  return json;
}

}  // namespace

std::string traceJson(std::span<const TraceReport> reports, bool as_array) {
  Ordered list = Ordered::array();
  for (const TraceReport& report : reports) list.push_back(traceObject(*report.info, report.image));
  return jsonText(as_array ? list : list.front());
}

}  // namespace adamerge
