// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "adamerge/error.h"
#include "state/session_evaluation.h"
#include "state/session_fields.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge::ui {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr int kMost = std::numeric_limits<int>::max();
constexpr std::size_t kMostPanes = 4;
constexpr std::uint64_t kMostBytes = 16U << 20U;

// In the order of the enumerators.
constexpr std::initializer_list<const char*> kOverlays = {"none",      "salience",  "groups",
                                                          "survivors", "attention", "difference"};
constexpr std::initializer_list<const char*> kColormaps = {"viridis", "magma", "turbo", "grey"};
constexpr std::initializer_list<const char*> kScales = {"linear", "percentile", "rank",
                                                        "logarithmic"};
constexpr std::initializer_list<const char*> kGroupStyles = {"fill", "outline", "fill_and_outline"};
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

OrderedJson toJson(const OverlayStyle& style) {
  return {{"kind", nameOf(kOverlays, style.kind)},
          {"opacity", style.opacity},
          {"colormap", nameOf(kColormaps, style.colormap)},
          {"scale", nameOf(kScales, style.scale)},
          {"smooth", style.smooth},
          {"groups", nameOf(kGroupStyles, style.groups)},
          {"dim_outside", style.dim_outside}};
}

OverlayStyle readOverlay(SessionFields fields) {
  OverlayStyle style;
  style.kind = read(fields, "kind", kOverlays, style.kind);
  style.opacity = fields.number("opacity", style.opacity, 0, 1);
  style.colormap = read(fields, "colormap", kColormaps, style.colormap);
  style.scale = read(fields, "scale", kScales, style.scale);
  style.smooth = fields.flag("smooth", style.smooth);
  style.groups = read(fields, "groups", kGroupStyles, style.groups);
  style.dim_outside = fields.flag("dim_outside", style.dim_outside);
  fields.requireNoOthers();
  return style;
}

EngineOptions readEngine(SessionFields fields, const std::string& name) {
  EngineOptions options;
  options.device = fields.text("device", options.device);
  const std::initializer_list<const char*> dtypes = {"auto", "float32", "bfloat16", "float16",
                                                     "float64"};
  options.dtype = dtypes.begin()[fields.oneOf("dtype", dtypes, 0)];
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
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path relative = whole.lexically_relative(fs::absolute(folder).lexically_normal());
  return relative.empty() || *relative.begin() == ".." ? whole : relative;
}

fs::path resolved(const fs::path& path, const fs::path& folder) {
  if (path.empty() || path.is_absolute()) return path;
  const fs::path whole = (folder / path).lexically_normal();
  // Of "." in particular.
  return whole.has_filename() ? whole : whole.parent_path();
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
  if (!session.statistics.empty()) json["statistics"] = session.statistics.string();
  if (!session.picture.empty()) json["picture"] = session.picture.string();
  if (!session.folder.empty()) json["folder"] = session.folder.string();
  json["panes"] = OrderedJson::array();
  for (const MethodChoice& choice : session.panes) {
    json["panes"].push_back(
        {{"method", choice.method}, {"settings", adamerge::toJson(choice.settings)}});
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
  return jsonText(json);
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
    if (panes->size() > kMostPanes) fields.fail("\"panes\" must have at most 4 entries");
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
  const fs::path folder = fs::absolute(file).parent_path();
  portable_session.model = portable(session.model, folder);
  portable_session.statistics = portable(session.statistics, folder);
  portable_session.picture = portable(session.picture, folder);
  portable_session.folder = portable(session.folder, folder);
  if (auto& evaluation = portable_session.evaluation) {
    evaluation->data = portable(evaluation->data, folder);
    evaluation->labels = portable(evaluation->labels, folder);
  }
  writeFileAtomically(file, toJson(portable_session));
}

Session openSession(const fs::path& file) {
  Session session = parseSession(readTextFile(file, kMostBytes), file.string());
  const fs::path folder = fs::absolute(file).parent_path();
  session.model = resolved(session.model, folder);
  session.statistics = resolved(session.statistics, folder);
  session.picture = resolved(session.picture, folder);
  session.folder = resolved(session.folder, folder);
  if (auto& evaluation = session.evaluation) {
    evaluation->data = resolved(evaluation->data, folder);
    evaluation->labels = resolved(evaluation->labels, folder);
  }
  return session;
}

}  // namespace adamerge::ui
