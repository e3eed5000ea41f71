// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/calibration_input.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

#include "adamerge/error.h"
#include "controls/setting_editor.h"

namespace adamerge::ui {
namespace {

constexpr int kSuggestedMost = 24;  // the paper's range ends at 23
constexpr int kSuggestedStep = 4;

QString tr(const char* text) {
  return QCoreApplication::translate("adamerge::ui::CalibrationInput", text);
}

}  // namespace

std::vector<int> parseCounts(const QString& text, int limit) {
  std::vector<int> counts;
  for (const QString& part : text.split(QLatin1Char(','))) {
    bool good = false;
    const int count = part.trimmed().toInt(&good);
    if (!good || count < 1 || count > limit || (!counts.empty() && count <= counts.back())) {
      throw Error(tr("r_max takes whole numbers from 1 to %1, ascending and separated by commas, "
                     "as 4,8,16; “%2” is not.")
                      .arg(limit)
                      .arg(part.trimmed().isEmpty() ? text : part.trimmed())
                      .toStdString());
    }
    counts.push_back(count);
  }
  return counts;
}

QString suggestedCounts(const LoadedModelPtr& model) {
  QStringList counts;
  if (model != nullptr && model->statistics != nullptr) {
    for (const StatisticsEntry& entry : model->statistics->entries) {
      counts << QString::number(entry.r_max);
    }
  } else {
    const int limit =
        model == nullptr ? kSuggestedMost : std::min(kSuggestedMost, model->info.vit.patchTokens());
    for (int count = kSuggestedStep; count <= limit; count += kSuggestedStep) {
      counts << QString::number(count);
    }
  }
  return counts.join(QLatin1Char(','));
}

MethodChoice calibrationChoice(const MethodChoice& active) {
  MethodChoice choice;
  for (const MethodInfo& method : methods()) {
    if (method.statisticsKnob() == nullptr) continue;
    if (choice.method == "none" || method.id == active.method) choice.method = method.id;
  }
  const MethodInfo& method = findMethod(choice.method);
  if (choice.method == active.method) {
    for (const std::string& key : method.statistics_settings) {
      const auto given = active.settings.find(key);
      if (given != active.settings.end()) choice.settings[key] = given->second;
    }
  }
  if (!usesStatistics(choice)) {
    const auto& [key, value] = *method.setting(method.statisticsKnob()->key)->active_when;
    choice.settings[key] = value;
  }
  return choice;
}

QString describeConditions(const MethodChoice& choice) {
  const MethodInfo& method = findMethod(choice.method);
  QStringList parts{QString::fromStdString(method.label)};
  for (const auto& [key, value] : choice.settings) {
    const SettingInfo* setting = method.setting(key);
    if (value == setting->fallback) continue;
    parts << QStringLiteral("%1 %2").arg(QString::fromStdString(setting->label),
                                         describeValue(value));
  }
  return parts.join(QStringLiteral(", "));
}

}  // namespace adamerge::ui
