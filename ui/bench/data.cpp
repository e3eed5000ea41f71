// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/data.h"

#include <QRegularExpression>
#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "adamerge/methods.h"

namespace adamerge::ui {
namespace {

QString settingLabel(const QString& option) {
  if (option == "dtype") return QStringLiteral("precision");
  for (const MethodInfo& method : methods()) {
    for (const SettingInfo& setting : method.settings) {
      if (option == QString::fromStdString(optionName(setting.key))) {
        return QString::fromStdString(setting.label);
      }
    }
  }
  return QString(option).replace('-', ' ');
}

}  // namespace

QString errorText(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return QStringLiteral(
        "There is not enough memory for this; a smaller input or model is "
        "expected");
  }
  // LibTorch appends a stack trace on lines of its own.
  QString text = QString::fromUtf8(error.what()).section('\n', 0, 0).trimmed();
  static const QRegularExpression option(QStringLiteral("(^|\\s)--([a-z][a-z-]*)"));
  for (auto match = option.match(text); match.hasMatch(); match = option.match(text)) {
    text.replace(match.capturedStart(), match.capturedLength(),
                 match.captured(1) + settingLabel(match.captured(2)));
  }
  return text;
}

QRectF Inspection::patchRect(int patch) const {
  const Rectangle& crop = prepared->crop;
  const double width = crop.width / gridWidth();
  const double height = crop.height / gridHeight();
  return {crop.x + patch % gridWidth() * width, crop.y + patch / gridWidth() * height, width,
          height};
}

std::optional<int> Inspection::patchAt(const QPointF& point) const {
  const Rectangle& crop = prepared->crop;
  const double column = std::floor((point.x() - crop.x) / crop.width * gridWidth());
  const double row = std::floor((point.y() - crop.y) / crop.height * gridHeight());
  if (column < 0 || row < 0 || column >= gridWidth() || row >= gridHeight()) return std::nullopt;
  return static_cast<int>(row) * gridWidth() + static_cast<int>(column);
}

std::vector<int> Inspection::groupOf(int patch, int block) const {
  if (block < 0) return {patch};
  const std::vector<int>& groups = result.layers[static_cast<std::size_t>(block)].groups;
  std::vector<int> members;
  for (std::size_t other = 0; other < groups.size(); ++other) {
    if (groups[other] == groups[static_cast<std::size_t>(patch)]) {
      members.push_back(static_cast<int>(other));
    }
  }
  return members;
}

std::optional<int> Inspection::mergedIn(int patch) const {
  for (std::size_t block = 0; block < survivors.size(); ++block) {
    if (result.layers[block].restored) continue;
    if (survivors[block][static_cast<std::size_t>(patch)] != patch) return static_cast<int>(block);
  }
  return std::nullopt;
}

const LensMap* LensShown::map(const Inspection& shown, OverlayKind overlay, int block) const {
  const auto index = static_cast<std::size_t>(block);
  // What was shown of the setting before stays until the next is there.
  const bool fits = overlay == kind && pictures != nullptr && index < pictures->blocks.size() &&
                    inspection->picture == shown.picture &&
                    inspection->gridWidth() == shown.gridWidth() &&
                    inspection->gridHeight() == shown.gridHeight();
  if (!fits) return nullptr;
  const LensMap& map = pictures->blocks[index];
  return map.values.empty() && map.colors.empty() ? nullptr : &map;
}

OverlayInput Inspection::overlayInput(int block) const {
  OverlayInput input;
  input.image = prepared.get();
  input.grid_height = gridHeight();
  input.grid_width = gridWidth();
  input.layers = &result.layers;
  input.layer = block;
  return input;
}

bool sameChoice(const MethodChoice& a, const MethodChoice& b) {
  return a.method == b.method && a.settings == b.settings && a.statistics == b.statistics &&
         a.ignore_statistics == b.ignore_statistics;
}

bool sameButCompression(const MethodChoice& a, const MethodChoice& b) {
  if (a.method != b.method) return false;
  return sameChoice(withCompression(a, 0), withCompression(b, 0));
}

bool takesPrompts(const MethodChoice& choice) { return choice.settings.contains("boxes"); }

MethodChoice withPrompts(const MethodChoice& choice, const Prompts& prompts) {
  MethodChoice changed = choice;
  changed.settings["boxes"] = prompts.boxes;
  changed.settings["points"] = prompts.points;
  return changed;
}

int compressionOf(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return 0;
  const auto found = choice.settings.find(knob->key);
  const SettingValue& value = found == choice.settings.end()
                                  ? findMethod(choice.method).setting(knob->key)->fallback
                                  : found->second;
  return static_cast<int>(std::get<std::int64_t>(value));
}

MethodChoice withCompression(const MethodChoice& choice, int value) {
  MethodChoice changed = choice;
  if (const CompressionKnob* knob = compressionKnob(choice)) {
    changed.settings[knob->key] = std::int64_t{value};
  }
  return changed;
}

std::optional<int> valueNearest(const Sweep& sweep, double target) {
  const auto distance = [&](const SweepPoint& point) {
    return std::abs(point.flops.paper - target);
  };
  const auto nearer = [&](const SweepPoint& a, const SweepPoint& b) {
    return distance(a) < distance(b);
  };
  if (sweep.complete && !sweep.points.empty()) {
    return std::min_element(sweep.points.begin(), sweep.points.end(), nearer)->value;
  }
  for (std::size_t i = 1; i < sweep.points.size(); ++i) {
    const SweepPoint& low = sweep.points[i - 1];
    const SweepPoint& high = sweep.points[i];
    if (high.value == low.value + 1 && low.flops.paper >= target && high.flops.paper <= target) {
      return nearer(high, low) ? high.value : low.value;
    }
  }
  return std::nullopt;
}

}  // namespace adamerge::ui
