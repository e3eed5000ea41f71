// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions as JSON text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "bench/overlay_table.h"
#include "bench/session.h"
#include "bench/session_fields.h"

namespace adamerge::ui {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

OrderedJson toJson(const Settings& settings) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [key, value] : settings) {
    json[key] = std::visit([](const auto& held) { return OrderedJson(held); }, value);
  }
  return json;
}

nlohmann::ordered_json toJson(const EvaluationSetup& setup) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!setup.data.empty()) json["data"] = setup.data.string();
  if (!setup.labels.empty()) json["labels"] = setup.labels.string();
  json["unlabelled"] = setup.unlabelled;
  json["limit"] = setup.limit;
  json["seed"] = setup.seed;
  json["methods"] = setup.methods;
  json["canvases"] = setup.canvases;
  json["by_flops"] = setup.by_flops;
  json["r_max"] = setup.r_max;
  json["r"] = setup.r;
  json["ratio"] = setup.ratio;
  json["flops"] = setup.flops;
  return json;
}

EvaluationSetup readEvaluationSetup(SessionFields fields) {
  EvaluationSetup setup = EvaluationSetup::standard();
  setup.data = fields.text("data");
  setup.labels = fields.text("labels");
  setup.unlabelled = fields.flag("unlabelled", setup.unlabelled);
  setup.limit = fields.whole("limit", setup.limit, 0, EvaluationSetup::kMostImages);
  setup.seed = fields.whole("seed", setup.seed, 0, EvaluationSetup::kMostSeed);
  if (const nlohmann::json* list = fields.list("methods")) {
    setup.methods.clear();
    for (const MethodInfo& method : methods()) {
      if (std::find(list->begin(), list->end(), method.id) != list->end()) {
        setup.methods.push_back(method.id);
      }
    }
    if (setup.methods.size() != list->size()) {
      fields.fail("\"evaluation.methods\" must name methods that merge, each once");
    }
  }
  setup.canvases = fields.flag("canvases", setup.canvases);
  setup.by_flops = fields.flag("by_flops", setup.by_flops);
  setup.r_max = fields.text("r_max", setup.r_max);
  setup.r = fields.text("r", setup.r);
  setup.ratio = fields.text("ratio", setup.ratio);
  setup.flops = fields.text("flops", setup.flops);
  fields.requireNoOthers();
  return setup;
}

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr int kMost = std::numeric_limits<int>::max();
constexpr std::uint64_t kMostBytes = 16U << 20U;

constexpr std::initializer_list<const char*> kModes = {"count", "flops", "percent"};

template <class Enum>
const char* nameOf(std::initializer_list<const char*> names, Enum value) {
  return names.begin()[static_cast<std::size_t>(value)];
}

template <class Enum>
Enum read(SessionFields& fields, const std::string& key, std::initializer_list<const char*> names,
          Enum fallback) {
  return static_cast<Enum>(fields.oneOf(key, names, static_cast<int>(fallback)));
}

/// Of prefix tokens and heads: what no network reaches.
constexpr int kMostTokens = 4096;

/// Of a heat map: "salience_range".
std::string rangeKey(OverlayKind kind) {
  return fmt::format("{}_range", entryOf(overlays(), kind).id);
}

OrderedJson toJson(const OverlayStyle& style) {
  OrderedJson json{{"kind", entryOf(overlays(), style.kind).id},
                   {"opacity", style.opacity},
                   {"colormap", entryOf(colormaps(), style.colormap).id},
                   {"scale", entryOf(salienceScales(), style.scale).id},
                   {"smooth", style.smooth},
                   {"groups", entryOf(groupStyles(), style.groups).id},
                   {"dim_outside", style.dim_outside},
                   {"windows", style.windows}};
  for (const auto& [kind, range] : style.held) json[rangeKey(kind)] = {range.lowest, range.highest};
  json["prefix_token"] = style.prefix_token;
  json["head"] = style.head;
  json["looked_at"] = style.looked_at;
  json["foreground"] = entryOf(foregrounds(), style.foreground).id;
  json["from_other"] = style.from_other;
  return json;
}

/// nullopt: none is held.
std::optional<ValueRange> readRange(SessionFields& fields, const std::string& key) {
  const Json* list = fields.list(key);
  if (list == nullptr) return std::nullopt;
  const auto number = [](const Json& entry) { return entry.is_number(); };
  if (list->size() == 2 && std::all_of(list->begin(), list->end(), number)) {
    const ValueRange range{(*list)[0].get<double>(), (*list)[1].get<double>()};
    if (range.lowest < range.highest) return range;
  }
  fields.fail(fmt::format("\"overlay.{}\" must be two numbers, the lower first", key));
}

template <typename Entry, typename Value>
Value readNamed(SessionFields& fields, const std::string& key, const std::vector<Entry>& table,
                Value fallback) {
  std::vector<const char*> ids;
  for (const Entry& entry : table) ids.push_back(entry.id);
  const auto own = static_cast<int>(&entryOf(table, fallback) - table.data());
  return table[static_cast<std::size_t>(fields.oneOf(key, ids, own))].value;
}

OverlayStyle readOverlay(SessionFields fields) {
  OverlayStyle style;
  style.kind = readNamed(fields, "kind", overlays(), style.kind);
  style.opacity = fields.number("opacity", style.opacity, 0, 1);
  style.colormap = readNamed(fields, "colormap", colormaps(), style.colormap);
  style.scale = readNamed(fields, "scale", salienceScales(), style.scale);
  style.smooth = fields.flag("smooth", style.smooth);
  style.groups = readNamed(fields, "groups", groupStyles(), style.groups);
  style.dim_outside = fields.flag("dim_outside", style.dim_outside);
  style.windows = fields.flag("windows", style.windows);
  for (const OverlayInfo& overlay : overlays()) {
    if (!isHeatMap(overlay.value)) continue;
    if (const auto range = readRange(fields, rangeKey(overlay.value))) {
      style.held[overlay.value] = *range;
    }
  }
  style.prefix_token = fields.whole("prefix_token", style.prefix_token, 0, kMostTokens);
  style.head = fields.whole("head", style.head, -1, kMostTokens);
  style.looked_at = fields.flag("looked_at", style.looked_at);
  style.foreground = readNamed(fields, "foreground", foregrounds(), style.foreground);
  style.from_other = fields.flag("from_other", style.from_other);
  fields.requireNoOthers();
  return style;
}

EngineOptions readEngine(SessionFields fields, const std::string& name) {
  EngineOptions options;
  options.device = fields.text("device", options.device);
  const std::initializer_list<const char*> dtypes = {"auto",    "float32", "bfloat16",
                                                     "float16", "int8",    "float64"};
  options.dtype = dtypes.begin()[fields.oneOf("dtype", dtypes, 0)];
  options.head = fields.text("head", {});
  options.dense_head = fields.text("dense_head", {});
  options.weight_set = fields.text("weight_set", {});
  const std::string resampling = fields.text("resampling", {});
  if (!resampling.empty()) {
    const auto found = std::find(kResamplingNames.begin(), kResamplingNames.end(), resampling);
    if (found == kResamplingNames.end()) {
      fields.fail(fmt::format("\"engine.resampling\" must be one of {}",
                              fmt::join(kResamplingNames, ", ")));
    }
    options.resampling = static_cast<Resampling>(found - kResamplingNames.begin());
  }
  if (const Json* size = fields.object("input_size")) {
    SessionFields size_fields(*size, name, "engine.input_size");
    options.input_size = InputSize{size_fields.whole("height", 0, 1, 1 << 16),
                                   size_fields.whole("width", 0, 1, 1 << 16)};
    size_fields.requireNoOthers();
    if (options.input_size->height == 0 || options.input_size->width == 0) {
      fields.fail("\"engine.input_size\" must have \"height\" and \"width\"");
    }
  }
  fields.requireNoOthers();
  return options;
}

const MethodInfo& methodNamed(const std::string& id, const SessionFields& fields) {
  try {
    return findMethod(id);
  } catch (const Error& error) {
    fields.fail(error.what());
  }
}

MethodChoice readPane(SessionFields fields) {
  MethodChoice choice;
  choice.method = fields.text("method", choice.method);
  choice.settings = fields.settings("settings", methodNamed(choice.method, fields));
  fields.requireNoOthers();
  return choice;
}

/// Relative to `folder` where the path lies below it, else absolute.
fs::path portable(const fs::path& path, const fs::path& folder) {
  if (path.empty()) return path;
  const fs::path whole = absolutePath(path).lexically_normal();
  const fs::path relative = whole.lexically_relative(absolutePath(folder).lexically_normal());
  return relative.empty() || *relative.begin() == ".." ? whole : relative;
}

fs::path resolved(const fs::path& path, const fs::path& folder) {
  if (path.empty() || path.is_absolute()) return path;
  const fs::path whole = (folder / path).lexically_normal();
  // Of "." in particular.
  return whole.has_filename() ? whole : whole.parent_path();
}

/// Every path of the session through `portable` or `resolved`.
void changePaths(Session& session, fs::path (*change)(const fs::path&, const fs::path&),
                 const fs::path& folder) {
  for (fs::path* path : {&session.model, &session.engine.head, &session.engine.dense_head,
                         &session.statistics, &session.picture, &session.folder}) {
    *path = change(*path, folder);
  }
  if (auto& evaluation = session.evaluation) {
    for (fs::path* path : {&evaluation->data, &evaluation->labels}) *path = change(*path, folder);
  }
}

Json parseJson(const std::string& text, const std::string& name) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const auto end = static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    const auto line = std::count(text.begin(), text.begin() + end, '\n');
    throw Error(fmt::format("{}: not a session: the JSON breaks off or goes wrong at line {}", name,
                            line + 1));
  } catch (const Json::out_of_range&) {
    throw Error(fmt::format("{}: not a session: it holds a number that is too large", name));
  }
}

}  // namespace

std::string toJson(const Session& session) {
  OrderedJson json = {{"adamerge_session", kFormat}};
  if (!session.model.empty()) json["model"] = session.model.string();
  json["engine"] = {{"device", session.engine.device}, {"dtype", session.engine.dtype}};
  if (const auto& size = session.engine.input_size) {
    json["engine"]["input_size"] = {{"height", size->height}, {"width", size->width}};
  }
  if (const auto& resampling = session.engine.resampling) {
    json["engine"]["resampling"] = kResamplingNames[static_cast<std::size_t>(*resampling)];
  }
  if (!session.engine.head.empty()) json["engine"]["head"] = session.engine.head.string();
  if (!session.engine.dense_head.empty()) {
    json["engine"]["dense_head"] = session.engine.dense_head.string();
  }
  if (!session.engine.weight_set.empty()) json["engine"]["weight_set"] = session.engine.weight_set;
  if (!session.statistics.empty()) json["statistics"] = session.statistics.string();
  if (!session.picture.empty()) json["picture"] = session.picture.string();
  if (!session.folder.empty()) json["folder"] = session.folder.string();
  json["panes"] = OrderedJson::array();
  for (const MethodChoice& choice : session.panes) {
    json["panes"].push_back({{"method", choice.method}, {"settings", toJson(choice.settings)}});
  }
  json["pane_count"] = session.pane_count;
  json["active_pane"] = session.active_pane;
  json["equal_flops"] = session.equal_flops;
  json["overlay"] = toJson(session.overlay);
  if (session.block) json["block"] = *session.block + 1;
  if (session.selected_patch) json["selected_patch"] = *session.selected_patch;
  json["compression_mode"] = nameOf(kModes, session.compression_mode);
  if (session.evaluation) json["evaluation"] = toJson(*session.evaluation);
  if (!session.preview.empty()) json["preview"] = session.preview;
  if (!session.window_geometry.empty()) json["window_geometry"] = session.window_geometry;
  if (!session.window_state.empty()) json["window_state"] = session.window_state;
  // Whatever the strings hold, the text is valid UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Session parseSession(const std::string& text, const std::string& name) {
  const Json json = parseJson(text, name);
  SessionFields fields(json, name);
  if (!fields.has("adamerge_session")) {
    fields.fail("\"adamerge_session\" is missing; a file saved by File > Save session is expected");
  }
  fields.whole("adamerge_session", 0, kFormat, kFormat);

  Session session;
  session.model = fields.text("model");
  if (const Json* engine = fields.object("engine")) {
    session.engine = readEngine({*engine, name, "engine"}, name);
  }
  session.statistics = fields.text("statistics");
  session.picture = fields.text("picture");
  session.folder = fields.text("folder");
  if (const Json* panes = fields.list("panes")) {
    if (panes->size() > std::size_t{kMostPanes})
      fields.fail("\"panes\" must have at most 4 entries");
    for (const Json& pane : *panes) {
      const std::string place = fmt::format("panes[{}]", session.panes.size());
      session.panes.push_back(readPane({pane, name, place}));
    }
  }
  session.pane_count = fields.whole("pane_count", 1, 1, kMostPanes);
  if (session.pane_count == 3) fields.fail("\"pane_count\" must be 1, 2 or 4");
  session.active_pane = fields.whole("active_pane", 0, 0, session.pane_count - 1);
  session.equal_flops = fields.flag("equal_flops", false);
  if (const Json* overlay = fields.object("overlay")) {
    session.overlay = readOverlay({*overlay, name, "overlay"});
  }
  if (fields.has("block")) session.block = fields.whole("block", 1, 1, kMost) - 1;
  if (fields.has("selected_patch")) {
    session.selected_patch = fields.whole("selected_patch", 0, 0, kMost);
  }
  session.compression_mode = read(fields, "compression_mode", kModes, session.compression_mode);
  if (const Json* evaluation = fields.object("evaluation")) {
    session.evaluation = readEvaluationSetup({*evaluation, name, "evaluation"});
  }
  session.preview = fields.base64("preview");
  session.window_geometry = fields.base64("window_geometry");
  session.window_state = fields.base64("window_state");
  fields.requireNoOthers();
  return session;
}

void saveSession(const Session& session, const fs::path& file) {
  Session portable_session = session;
  changePaths(portable_session, portable, absolutePath(file).parent_path());
  writeFileAtomically(file, toJson(portable_session));
}

Session openSession(const fs::path& file) {
  Session session = parseSession(readTextFile(file, kMostBytes), file.string());
  changePaths(session, resolved, absolutePath(file).parent_path());
  return session;
}

}  // namespace adamerge::ui
