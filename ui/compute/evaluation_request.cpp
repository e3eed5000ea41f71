// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/evaluation_request.h"

#include <fmt/format.h>

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>
#include <algorithm>

#include "adamerge/report.h"
#include "compute/choice_family.h"

namespace adamerge::ui {
namespace {

constexpr int kKeptStates = 100;

QDir stateFolder() {
  return {QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) +
          QStringLiteral("/evaluations")};
}

std::string settingsText(const MethodChoice& choice) {
  std::string text = choice.method;
  for (const auto& [key, value] : completeSettings(choice)) {
    text += fmt::format(" {}={}", key, toText(value));
  }
  return choice.statistics == nullptr ? text : text + " own statistics";
}

std::string wholePath(const std::filesystem::path& path) {
  return path.empty() ? std::string() : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

std::vector<MeasuredChoice> countedChoices(const EvaluationRequest& request) {
  std::vector<MeasuredChoice> list = withCounts(request.methods, request.counts);
  for (const MethodChoice& choice : request.exact) list.push_back({choice, std::nullopt});
  std::vector<MeasuredChoice> once;
  for (MeasuredChoice& entry : list) {
    if (entry.choice.method == MethodChoice{}.method) continue;
    entry.choice.settings = completeSettings(entry.choice);
    const bool again = std::any_of(once.begin(), once.end(), [&](const MeasuredChoice& other) {
      return sameChoice(other.choice, entry.choice);
    });
    if (!again) once.push_back(std::move(entry));
  }
  return once;
}

std::size_t pointCount(const EvaluationRequest& request) {
  if (request.tiers.empty()) return 1 + countedChoices(request).size();
  const auto counted =
      std::count_if(request.methods.begin(), request.methods.end(),
                    [](const MethodChoice& method) { return compressionKnob(method) != nullptr; });
  return 1 + static_cast<std::size_t>(counted) * request.tiers.size() + request.exact.size();
}

std::filesystem::path stateFile(const EvaluationRequest& request, const LoadedModel& model) {
  std::string text = fmt::format(
      "{}\n{} {} {}x{}\n{}\n{}\n{} {} {}\n", wholePath(model.info.source), model.device,
      model.dtype, model.info.vit.input_height, model.info.vit.input_width, wholePath(request.data),
      wholePath(request.dataset.labels), request.dataset.unlabelled, request.limit, request.seed);
  if (request.tiers.empty()) {
    for (const MeasuredChoice& entry : countedChoices(request)) {
      text += settingsText(entry.choice) + "\n";
    }
  } else {
    for (const double tier : request.tiers) text += fmt::format("{} G\n", tier);
    for (const MethodChoice& method : request.methods) text += settingsText(method) + "\n";
    for (const MethodChoice& choice : request.exact) text += "= " + settingsText(choice) + "\n";
  }
  const QByteArray key =
      QCryptographicHash::hash(QByteArray::fromStdString(text), QCryptographicHash::Sha1);
  return stateFolder().filePath(QString::fromLatin1(key.toHex()) + ".json").toStdString();
}

void tidyStates() {
  const QFileInfoList files =
      stateFolder().entryInfoList({QStringLiteral("*.json")}, QDir::Files, QDir::Time);
  for (qsizetype i = kKeptStates; i < files.size(); ++i) QFile::remove(files[i].filePath());
}

}  // namespace adamerge::ui
