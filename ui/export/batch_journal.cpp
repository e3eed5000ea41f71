// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_journal.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "adamerge/files.h"
#include "adamerge/report.h"

namespace adamerge::ui {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr std::chrono::seconds kBetweenSaves{1};

/// Size and time of the last change; null: it is not there.
json stateOf(const fs::path& file) {
  std::error_code code;
  const std::uintmax_t size = fs::file_size(file, code);
  if (code) return nullptr;
  const auto written = fs::last_write_time(file, code);
  return {size, written.time_since_epoch().count()};
}

json styleKey(const ExportStyle& style) {
  const FigureStyle& page = style.page;
  const OverlayStyle& overlay = page.overlay;
  json held = json::array();
  for (const auto& [content, range] : overlay.held) {
    held.push_back({content, range.lowest, range.highest});
  }
  return {style.block,
          page.width_mm,
          page.dpi,
          page.font_size,
          page.background,
          overlay.kind,
          overlay.opacity,
          overlay.colormap,
          overlay.scale,
          overlay.smooth,
          overlay.groups,
          overlay.dim_outside,
          overlay.windows,
          held,
          overlay.prefix_token,
          overlay.head,
          overlay.looked_at,
          overlay.foreground,
          overlay.from_other};
}

json keyOf(const Engine& engine, const BatchPlan& plan) {
  const ModelInfo& model = engine.info();
  json choices = json::array();
  for (const MethodChoice& choice : plan.choices) choices.push_back(describe(choice));
  json statistics = nullptr;
  if (const auto used = engine.statistics()) {
    for (const StatisticsEntry& entry : used->entries) {
      statistics.push_back({entry.r_max, entry.mu, entry.sigma});
    }
  }
  return {{"model", {model.name, model.source.string(), stateOf(model.source), model.weight_set}},
          {"preprocessing", describe(model.preprocessing)},
          {"device", {engine.device(), engine.dtype()}},
          {"statistics", statistics},
          {"choices", choices},
          {"kinds", plan.kinds},
          {"formats", plan.formats},
          {"style", styleKey(plan.style)}};
}

}  // namespace

BatchJournal::BatchJournal(const Engine& engine, const BatchPlan& plan)
    : plan_(plan), path_(plan.table()), key_(keyOf(engine, plan)) {
  path_ += ".partial";
  read();
}

void BatchJournal::read() {
  std::ifstream stream(path_);
  const json kept = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!kept.is_object() || kept.value("format", json()) != kFormat ||
      kept.value("key", json()) != key_) {
    return;
  }
  std::map<std::string, Entry> entries;
  try {
    for (const auto& [name, entry] : kept.at("images").items()) {
      if (!entry.at("runs").is_number_integer()) return;
      entries[name] = {entry.at("file"),
                       {entry.at("lines").get<std::string>(), entry.at("runs").get<int>(),
                        entry.at("figures").get<std::vector<std::string>>()}};
    }
  } catch (const json::exception&) {
    return;
  }
  entries_ = std::move(entries);
}

const FinishedImage* BatchJournal::find(const BatchImage& image) const {
  const auto found = entries_.find(image.name);
  if (found == entries_.end() || found->second.file.is_null() ||
      found->second.file != stateOf(image.file)) {
    return nullptr;
  }
  const FinishedImage& done = found->second.image;
  const bool whole = std::all_of(done.figures.begin(), done.figures.end(), [&](const auto& name) {
    std::error_code code;
    return fs::is_regular_file(plan_.output / name, code);
  });
  return whole ? &done : nullptr;
}

int BatchJournal::finished() const {
  return static_cast<int>(std::count_if(plan_.images.begin(), plan_.images.end(),
                                        [&](const auto& image) { return find(image) != nullptr; }));
}

void BatchJournal::add(const BatchImage& image, const FinishedImage& done) {
  entries_[image.name] = {stateOf(image.file), done};
  changed_ = true;
}

void BatchJournal::saveSometimes() {
  if (std::chrono::steady_clock::now() - saved_ >= kBetweenSaves) save();
}

void BatchJournal::save() {
  if (!changed_) return;
  json images = json::object();
  for (const auto& [name, entry] : entries_) {
    images[name] = {{"file", entry.file},
                    {"lines", entry.image.lines},
                    {"runs", entry.image.runs},
                    {"figures", entry.image.figures}};
  }
  const json kept = {{"format", kFormat}, {"key", key_}, {"images", images}};
  writeFileAtomically(path_, kept.dump(-1, ' ', false, json::error_handler_t::replace));
  changed_ = false;
  saved_ = std::chrono::steady_clock::now();
}

void BatchJournal::remove() {
  std::error_code gone_already;
  fs::remove(path_, gone_already);
}

}  // namespace adamerge::ui
