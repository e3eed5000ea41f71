// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_plan.h"

#include <fmt/format.h>

#include <QStringList>
#include <algorithm>
#include <set>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/image.h"
#include "adamerge/report.h"
#include "export/export_plan.h"
#include "export/page_form.h"

namespace adamerge::ui {
namespace {

namespace fs = std::filesystem;

std::int64_t parseValue(const QString& text, const MethodInfo& method, const SettingInfo& setting) {
  bool whole = false;
  const qlonglong value = text.trimmed().toLongLong(&whole);
  const bool fits = (!setting.minimum || static_cast<double>(value) >= *setting.minimum) &&
                    (!setting.maximum || static_cast<double>(value) <= *setting.maximum);
  if (whole && fits) return value;
  std::string range;
  if (setting.minimum) range += fmt::format(" from {:g}", *setting.minimum);
  if (setting.maximum) range += fmt::format(" to {:g}", *setting.maximum);
  throw Error(fmt::format("{} takes whole numbers{} for {}, such as 8, 12, 16, not “{}”",
                          method.label, range, setting.label, text.trimmed().toStdString()));
}

bool isBelow(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

fs::path normal(const fs::path& path) {
  std::error_code code;
  fs::path made = fs::weakly_canonical(path, code);
  return code ? path : made;
}

const FigureKind* findKind(const std::string& id) {
  const auto& kinds = figureKinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const FigureKind& kind) { return kind.id == id; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace

std::vector<MethodChoice> expandRow(const BatchRow& row) {
  const CompressionKnob* knob = compressionKnob(row.base);
  if (knob == nullptr) return {row.base};
  const MethodInfo& method = findMethod(row.base.method);
  const SettingInfo& setting = *method.setting(knob->key);
  std::vector<MethodChoice> choices;
  for (const QString& text : row.values.split(QChar(','), Qt::SkipEmptyParts)) {
    if (text.trimmed().isEmpty()) continue;
    MethodChoice choice = row.base;
    choice.settings[knob->key] = parseValue(text, method, setting);
    choices.push_back(std::move(choice));
  }
  if (choices.empty()) {
    throw Error(fmt::format("{} has no value of {} to run; give one or more, such as 8, 12, 16",
                            method.label, setting.label));
  }
  return choices;
}

std::vector<MethodChoice> expandRows(const std::vector<BatchRow>& rows) {
  if (rows.empty()) throw Error("no method is chosen; add at least one");
  std::vector<MethodChoice> choices;
  std::set<std::string> known;
  for (const BatchRow& row : rows) {
    for (MethodChoice& choice : expandRow(row)) {
      if (known.insert(describe(choice)).second) choices.push_back(std::move(choice));
    }
  }
  return choices;
}

std::vector<BatchImage> findBatchImages(const fs::path& folder, const fs::path& output,
                                        const std::stop_token& stop) {
  const fs::path own = normal(folder);
  const fs::path written = normal(output);
  const bool nested = written != own && isBelow(written, own);
  std::vector<BatchImage> images;
  std::set<fs::path> stems;
  for (const fs::path& file : findImages(folder, stop)) {
    if (nested && isBelow(normal(file), written)) continue;
    const fs::path relative = file == folder ? file.filename() : file.lexically_relative(folder);
    const fs::path wanted = relative.parent_path() / relative.stem();
    fs::path stem = wanted;
    for (int number = 2; !stems.insert(stem).second; ++number) {
      stem = wanted;
      stem += fmt::format("-{}", number);
    }
    images.push_back({file, relative.string(), std::move(stem)});
  }
  if (images.empty()) {
    throw Error(fmt::format("{}: the folder holds no image but those of an earlier batch",
                            folder.string()));
  }
  return images;
}

fs::path BatchPlan::figure(const BatchImage& image, const MethodChoice& choice,
                           const FigureKind& kind, FigureFormat format) const {
  const std::string block = kind.per_layer ? fmt::format("-block{:02}", style.block + 1) : "";
  fs::path path = output / image.stem;
  const QString name = slug(QString::fromStdString(describe(choice, vit)));
  path += fmt::format("-{}-{}{}.{}", name.toStdString(), kind.id, block,
                      extension(format).toStdString());
  return withFittingName(path);
}

fs::path BatchPlan::table() const { return output / "adamerge-batch.csv"; }

std::vector<fs::path> BatchPlan::files() const {
  std::vector<fs::path> all{table()};
  for (const BatchImage& image : images) {
    for (const MethodChoice& choice : choices) {
      for (const std::string& id : kinds) {
        const FigureKind* kind = findKind(id);
        if (kind == nullptr) continue;
        for (const FigureFormat format : formats) {
          all.push_back(figure(image, choice, *kind, format));
        }
      }
    }
  }
  return all;
}

int BatchPlan::existing(const std::stop_token& stop) const {
  const std::vector<fs::path> all = files();
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const fs::path& file) {
    throwIfStopped(stop);
    std::error_code code;
    return fs::exists(file, code);
  }));
}

}  // namespace adamerge::ui
