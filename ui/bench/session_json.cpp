// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions as JSON text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <QByteArray>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "bench/overlay_table.h"
#include "bench/session.h"

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

/// nullopt for what is no setting's value: null, an object, a list of anything but whole numbers.
std::optional<SettingValue> settingFrom(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  const auto whole = [](const Json& entry) { return entry.is_number_integer(); };
  if (json.is_array() && std::all_of(json.begin(), json.end(), whole)) {
    return json.get<std::vector<std::int64_t>>();
  }
  return std::nullopt;
}

/// Reading one object of a session file: every field is checked and asked for by name, and one that
/// nobody asked for is an error.
class SessionFields {
 public:
  /// `file` and `place` ("panes[1]"; empty: the top) name the object in messages.
  SessionFields(const nlohmann::json& object, std::string file, std::string place = {});

  bool has(const std::string& key) const { return object_.contains(key); }
  /// Each returns `fallback` where the field is missing. Throws Error.
  std::string text(const std::string& key, const std::string& fallback = {});
  bool flag(const std::string& key, bool fallback);
  int whole(const std::string& key, int fallback, int low, int high);
  double number(const std::string& key, double fallback, double low, double high);
  /// The place of the text in `names`.
  int oneOf(const std::string& key, const std::vector<const char*>& names, int fallback);
  std::string base64(const std::string& key);
  /// The settings of a method, each checked against the registry.
  Settings settings(const std::string& key, const MethodInfo& method);
  /// nullptr where missing; asked for as an object or a list.
  const nlohmann::json* object(const std::string& key);
  const nlohmann::json* list(const std::string& key);

  /// Throws Error for fields nobody asked for.
  void requireNoOthers() const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const nlohmann::json* find(const std::string& key);
  std::string named(const std::string& key) const;

  const nlohmann::json& object_;
  std::string file_;
  std::string place_;
  std::set<std::string> known_;
};

SessionFields::SessionFields(const Json& object, std::string file, std::string place)
    : object_(object), file_(std::move(file)), place_(std::move(place)) {
  if (object_.is_object()) return;
  throw Error(fmt::format("{}: not usable as a session: {} must be an object", file_,
                          place_.empty() ? "the top level" : fmt::format("\"{}\"", place_)));
}

void SessionFields::fail(const std::string& what) const {
  throw Error(fmt::format("{}: not usable as a session: {}", file_, what));
}

std::string SessionFields::named(const std::string& key) const {
  return place_.empty() ? fmt::format("\"{}\"", key) : fmt::format("\"{}.{}\"", place_, key);
}

const Json* SessionFields::find(const std::string& key) {
  known_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

std::string SessionFields::text(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) fail(named(key) + " must be text");
  return value->get<std::string>();
}

bool SessionFields::flag(const std::string& key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(named(key) + " must be true or false");
  return value->get<bool>();
}

int SessionFields::whole(const std::string& key, int fallback, int low, int high) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  const bool in_range = value->is_number_integer() && *value >= low && *value <= high;
  if (!in_range)
    fail(fmt::format("{} must be a whole number from {} to {}", named(key), low, high));
  return value->get<int>();
}

double SessionFields::number(const std::string& key, double fallback, double low, double high) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  const double given = value->is_number() ? value->get<double>() : NAN;
  if (!(given >= low && given <= high)) {
    fail(fmt::format("{} must be a number from {} to {}", named(key), low, high));
  }
  return given;
}

int SessionFields::oneOf(const std::string& key, const std::vector<const char*>& names,
                         int fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  int index = 0;
  for (const char* name : names) {
    if (value->is_string() && *value == name) return index;
    ++index;
  }
  fail(fmt::format("{} must be one of {}", named(key), fmt::join(names, ", ")));
}

std::string SessionFields::base64(const std::string& key) {
  std::string value = text(key);
  const auto decoded = QByteArray::fromBase64Encoding(QByteArray::fromStdString(value),
                                                      QByteArray::AbortOnBase64DecodingErrors);
  if (!decoded) fail(named(key) + " must be base64 text");
  return value;
}

Settings SessionFields::settings(const std::string& key, const MethodInfo& method) {
  Settings settings;
  const Json* values = object(key);
  if (values == nullptr) return settings;
  for (const auto& [name, value] : values->items()) {
    const SettingInfo* info = method.setting(name);
    if (info == nullptr) {
      fail(fmt::format("{} names \"{}\", which is no setting of {}", named(key), name,
                       method.label));
    }
    const auto setting = settingFrom(value);
    if (!setting) {
      fail(
          fmt::format("\"{}\" in {} must be a number, text, true, false or a list of whole numbers",
                      name, named(key)));
    }
    try {
      settings[name] = checkedSetting(*info, *setting);
    } catch (const Error& error) {
      fail(fmt::format("in {}: {}", named(key), error.what()));
    }
  }
  return settings;
}

const Json* SessionFields::object(const std::string& key) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_object()) fail(named(key) + " must be an object");
  return value;
}

const Json* SessionFields::list(const std::string& key) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_array()) fail(named(key) + " must be a list");
  return value;
}

void SessionFields::requireNoOthers() const {
  for (const auto& [key, value] : object_.items()) {
    if (!known_.contains(key)) {
      fail(fmt::format("{} is no field that this version knows", named(key)));
    }
  }
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
  const std::initializer_list<const char*> dtypes = {"auto", "float32", "bfloat16", "float16",
                                                     "float64"};
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
