// SPDX-License-Identifier: GPL-3.0-or-later
// What a trace says of itself in words, and how it is called.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "support/json.h"
#include "support/text.h"
#include "trace/trace_reading.h"

namespace adamerge {
namespace {

constexpr std::string_view kFormatName = "adamerge-trace";
constexpr int kVersion = 1;
constexpr int kMostRows = 4096;  ///< and columns
constexpr int kMostPatches = 1 << 20;
constexpr int kMostPrefix = 4096;

/// The file's `__metadata__`, of which every value is a text; most hold JSON.
class Metadata {
 public:
  Metadata(const SafetensorsMetadata& texts, std::string file)
      : texts_(texts), file_(std::move(file)) {}

  [[noreturn]] void fail(std::string_view key, std::string_view problem) const {
    throw Error(fmt::format("{}: not usable as a trace: {} {}", file_, key, problem));
  }

  std::string text(std::string_view key) const {
    const auto found = texts_.find(key);
    return found == texts_.end() ? std::string() : found->second;
  }

  /// Discarded where there is none.
  nlohmann::ordered_json json(std::string_view key, std::string_view expected) const {
    const auto found = texts_.find(key);
    if (found == texts_.end()) return nlohmann::ordered_json::value_t::discarded;
    auto value = nlohmann::ordered_json::parse(found->second, nullptr, false);
    if (value.is_discarded()) wrong(key, expected);
    return value;
  }

  [[noreturn]] void wrong(std::string_view key, std::string_view expected) const {
    fail(key, fmt::format("is '{}', {} is expected", printable(text(key)), expected));
  }

  int count(std::string_view key, int low, int high) const {
    const std::string value = text(key);
    int number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc() || end != value.data() + value.size() || number < low ||
        number > high) {
      wrong(key, fmt::format("a whole number from {} to {}", low, high));
    }
    return number;
  }

  std::vector<std::string> names(std::string_view key) const {
    constexpr std::string_view kExpected = "a JSON list of texts";
    const auto list = json(key, kExpected);
    std::vector<std::string> names;
    if (list.is_discarded()) return names;
    if (!list.is_array()) wrong(key, kExpected);
    for (const auto& name : list) {
      if (!name.is_string()) wrong(key, kExpected);
      names.push_back(name.get<std::string>());
    }
    return names;
  }

  bool has(std::string_view key) const { return texts_.contains(key); }

 private:
  const SafetensorsMetadata& texts_;
  std::string file_;
};

void readSettings(const Metadata& metadata, TraceInfo& info) {
  constexpr std::string_view kExpected = "a JSON object";
  const auto json = metadata.json("settings", kExpected);
  if (json.is_discarded()) return;
  if (!json.is_object()) metadata.wrong("settings", kExpected);
  info.settings_json = metadata.text("settings");
  for (const auto& [key, value] : json.items()) {
    const auto known = settingFromJson(nlohmann::json(value));
    info.settings.emplace_back(
        key, known ? toText(*known)
                   : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
}

}  // namespace

TraceInfo readTraceInfo(const SafetensorsMetadata& texts, const std::filesystem::path& file) {
  const Metadata metadata(texts, file.string());
  if (metadata.text("format") != kFormatName) {
    throw Error(fmt::format("{}: is no trace: its metadata say format '{}', '{}' is expected",
                            file.string(), printable(metadata.text("format")), kFormatName));
  }
  if (metadata.text("version") != std::to_string(kVersion)) {
    throw Error(fmt::format("{}: is a trace of version '{}'; version {} is read here",
                            file.string(), printable(metadata.text("version")), kVersion));
  }
  TraceInfo info;
  info.file = file;
  info.model = metadata.text("model");
  info.method = metadata.text("method");
  info.producer = metadata.text("producer");
  readSettings(metadata, info);
  const std::string expected = fmt::format("[rows, columns] of 1 to {}", kMostRows);
  const auto grid = metadata.json("grid", expected);
  const auto side = [&](std::size_t at) {
    if (!grid.is_array() || grid.size() != 2) metadata.wrong("grid", expected);
    const auto value = wholeNumber<int>(grid[at], 1, kMostRows);
    if (!value) metadata.wrong("grid", expected);
    return *value;
  };
  info.grid_height = side(0);
  info.grid_width = side(1);
  if (info.patches() > kMostPatches) {
    metadata.fail("grid",
                  fmt::format("has {} patches, at most {} are read", info.patches(), kMostPatches));
  }
  if (metadata.has("prefix_tokens")) {
    info.prefix_tokens = metadata.count("prefix_tokens", 0, kMostPrefix);
  }
  info.images = metadata.names("images");
  if (info.images.empty()) metadata.fail("images", "is missing: a JSON list with a name an image");
  info.classes = metadata.names("classes");
  if (metadata.has("rate")) {
    const auto rate = metadata.json("rate", "a number");
    if (!rate.is_number() || !(rate.get<double>() > 0 && rate.get<double>() <= 1000)) {
      metadata.wrong("rate", "a number of frames per second, up to 1000,");
    }
    info.rate = rate.get<double>();
  }
  return info;
}

bool isTraceName(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with(kTraceExtension);
}

std::string describe(const TraceInfo& info) {
  std::string text = info.method.empty() ? "unnamed method" : printable(info.method, 60);
  for (const auto& [key, value] : info.settings) {
    if (value.empty()) continue;
    text += fmt::format(", {} {}", printable(key, 40), printable(value, 40));
  }
  return text;
}

std::string provenanceJson(const TraceInfo& info, std::string_view image, int layer) {
  using Ordered = nlohmann::ordered_json;
  const Ordered json = {{"format", kProvenanceFormat},
                        {"program", kProgram},
                        {"trace", absolutePath(info.file).string()},
                        {"producer", info.producer},
                        {"model", info.model},
                        {"image", image},
                        {"method", info.method},
                        {"settings", Ordered::parse(info.settings_json)},
                        {"block", layer < 0 ? Ordered(nullptr) : Ordered(layer + 1)}};
  return json.dump(-1, ' ', true, Ordered::error_handler_t::replace);
}

std::optional<TracedFigure> tracedBy(std::string_view provenance) {
  const auto json = nlohmann::json::parse(provenance, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json* first = &json;
  if (json.is_array() && !json.empty()) first = &json.front();
  if (!first->is_object()) return std::nullopt;
  const auto trace = first->find("trace");
  if (trace == first->end() || !trace->is_string()) return std::nullopt;
  TracedFigure shown{trace->get<std::string>(), {}};
  if (const auto image = first->find("image"); image != first->end() && image->is_string()) {
    shown.image = image->get<std::string>();
  }
  if (const auto block = first->find("block");
      block != first->end() && block->is_number_integer()) {
    constexpr std::int64_t kMostBlocks = 1'000'000;
    const auto number = block->get<std::int64_t>();
    if (number >= 1 && number <= kMostBlocks) shown.layer = static_cast<int>(number) - 1;
  }
  return shown;
}

std::optional<std::filesystem::path> findTrace(const TracedFigure& shown,
                                               const std::filesystem::path& figure) {
  const std::filesystem::path folder = figure.parent_path();
  for (const std::filesystem::path& place :
       {folder / shown.trace, folder / shown.trace.filename()}) {
    std::error_code code;
    if (std::filesystem::is_regular_file(place, code)) return place;
  }
  return std::nullopt;
}

ModelInfo modelOf(const TraceInfo& info) {
  ModelInfo model;
  model.name = info.model.empty() ? "unnamed model" : info.model;
  model.source = info.file;
  model.vit.input_height = info.grid_height;
  model.vit.input_width = info.grid_width;
  model.vit.patch_size = 1;
  model.vit.position_grid_height = info.grid_height;
  model.vit.position_grid_width = info.grid_width;
  model.vit.depth = info.depth;
  model.vit.class_token = info.prefix_tokens > 0;
  model.vit.register_tokens = std::max(0, info.prefix_tokens - 1);
  model.vit.classes = info.has_logits ? static_cast<int>(info.classes.size()) : 0;
  if (info.has_logits) model.labels = info.classes;
  return model;
}

}  // namespace adamerge
