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
#include "adamerge/trace_file.h"
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

/// Sorted; links are not followed.
std::vector<fs::path> findTraces(const fs::path& folder, const std::stop_token& stop) {
  if (isTraceName(folder)) return {folder};
  std::vector<fs::path> traces;
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    throwIfStopped(stop);
    const bool hidden = entry->path().filename().string().starts_with('.');
    std::error_code unknown;
    if (hidden) {
      entry.disable_recursion_pending();
    } else if (isTraceName(entry->path()) && entry->is_regular_file(unknown)) {
      traces.push_back(entry->path());
    }
  }
  std::sort(traces.begin(), traces.end());
  return traces;
}

/// With nothing but traces there may be no picture.
std::vector<fs::path> findPictures(const fs::path& folder, bool traces,
                                   const std::stop_token& stop) {
  if (isTraceName(folder)) return {};
  try {
    return findImages(folder, stop);
  } catch (const Error&) {
    if (!traces) throw;
    return {};
  }
}

/// Collects images, each with a stem of its own.
class Found {
 public:
  Found(const fs::path& folder, const fs::path& output)
      : folder_(folder), own_(normal(folder)), written_(normal(output)) {}

  void add(const fs::path& file) {
    if (wasWritten(file)) return;
    const fs::path relative = below(file);
    add({file, relative.string(), {}}, relative.parent_path() / relative.stem());
  }

  /// One that cannot be read is an image all the same, so that the batch says why.
  void addTrace(const fs::path& file) {
    if (wasWritten(file)) return;
    const fs::path relative = below(file);
    const fs::path stem = relative.parent_path() / relative.stem();
    std::vector<std::string> images;
    try {
      images = TraceFile(file).info().images;
    } catch (const Error&) {
    }
    if (images.size() < 2) return add({file, relative.string(), {}, 0}, stem);
    for (std::size_t index = 0; index < images.size(); ++index) {
      fs::path own = stem;
      own += fmt::format("-{:04}", index + 1);
      add({file, fmt::format("{} · {} {}", relative.string(), index + 1, images[index]), {}, index},
          own);
    }
  }

  std::vector<BatchImage> images() && { return std::move(images_); }

 private:
  bool wasWritten(const fs::path& file) const {
    return written_ != own_ && isBelow(written_, own_) && isBelow(normal(file), written_);
  }
  fs::path below(const fs::path& file) const {
    return file == folder_ ? file.filename() : file.lexically_relative(folder_);
  }
  void add(BatchImage image, const fs::path& wanted) {
    image.stem = wanted;
    for (int number = 2; !stems_.insert(image.stem).second; ++number) {
      image.stem = wanted;
      image.stem += fmt::format("-{}", number);
    }
    images_.push_back(std::move(image));
  }

  const fs::path& folder_;
  fs::path own_;
  fs::path written_;
  std::vector<BatchImage> images_;
  std::set<fs::path> stems_;
};

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
  const std::vector<fs::path> traces = findTraces(folder, stop);
  Found found(folder, output);
  for (const fs::path& file : findPictures(folder, !traces.empty(), stop)) found.add(file);
  for (const fs::path& file : traces) {
    throwIfStopped(stop);
    found.addTrace(file);
  }
  std::vector<BatchImage> images = std::move(found).images();
  if (images.empty()) {
    throw Error(fmt::format("{}: the folder holds no image but those of an earlier batch",
                            folder.string()));
  }
  return images;
}

std::size_t tracedOf(const std::vector<BatchImage>& images) {
  return static_cast<std::size_t>(
      std::count_if(images.begin(), images.end(),
                    [](const BatchImage& image) { return image.traced.has_value(); }));
}

fs::path BatchPlan::figure(const BatchImage& image, const MethodChoice* choice,
                           const FigureKind& kind, FigureFormat format) const {
  const std::string block = kind.per_layer ? fmt::format("-block{:02}", blockOf(kind) + 1) : "";
  fs::path path = output / image.stem;
  if (choice != nullptr) {
    path += "-" + slug(QString::fromStdString(describe(*choice, vit))).toStdString();
  }
  path += fmt::format("-{}{}.{}", kind.id, block, extension(format).toStdString());
  return withFittingName(path);
}

std::size_t BatchPlan::runs() const {
  const std::size_t traced = tracedOf(images);
  return traced + (images.size() - traced) * choices.size();
}

fs::path BatchPlan::table() const { return output / "adamerge-batch.csv"; }

std::vector<fs::path> BatchPlan::files() const {
  std::vector<fs::path> all{table()};
  for (const BatchImage& image : images) {
    const auto addOf = [&](const MethodChoice* choice) {
      for (const std::string& id : kinds) {
        const FigureKind* kind = findKind(id);
        if (kind == nullptr) continue;
        for (const FigureFormat format : formats) {
          all.push_back(figure(image, choice, *kind, format));
        }
      }
    };
    if (image.traced) {
      addOf(nullptr);
    } else {
      for (const MethodChoice& choice : choices) addOf(&choice);
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
