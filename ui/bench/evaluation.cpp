// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/evaluation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/report.h"
#include "bench/calibration.h"
#include "bench/data.h"

namespace adamerge::ui {
namespace {

constexpr int kNiceness = 10;

bool onCpu(const Engine& engine) { return engine.device() == "cpu"; }

}  // namespace

void yieldToOthers() {
  // Of a thread id Linux changes that thread alone. Where it is refused, work goes on as it was.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
}

int backgroundLanes(const Engine& engine) { return onCpu(engine) ? 2 : 1; }

std::size_t backgroundBatch(const Engine& engine) { return onCpu(engine) ? 2 : 16; }

namespace {

constexpr int kKeptStates = 100;
constexpr int kKeptRows = 10;

constexpr const char* kEvaluations = "evaluations";
constexpr const char* kCalibrations = "calibrations";

QDir stateFolder(const char* name) {
  return {QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QLatin1Char('/') +
          QLatin1String(name)};
}

std::filesystem::path stateFile(const char* folder, const std::string& measured) {
  const QByteArray key =
      QCryptographicHash::hash(QByteArray::fromStdString(measured), QCryptographicHash::Sha1);
  return stateFolder(folder)
      .filePath(QString::fromLatin1(key.toHex()) + QStringLiteral(".json"))
      .toStdString();
}

QFileInfoList statesIn(const char* folder) {
  return stateFolder(folder).entryInfoList({QStringLiteral("*.json")}, QDir::Files, QDir::Time);
}

std::string settingsText(const MethodChoice& choice) {
  std::string text = choice.method;
  for (const auto& [key, value] : completeSettings(choice)) {
    text += fmt::format(" {}={}", key, toText(value));
  }
  return choice.statistics == nullptr ? text : text + " own statistics";
}

std::string wholePath(const std::filesystem::path& path) {
  return path.empty() ? std::string() : absolutePath(path).lexically_normal().string();
}

std::string modelText(const LoadedModel& model) {
  return fmt::format("{}\n{} {} {}x{}", wholePath(model.info.source), model.device, model.dtype,
                     model.info.vit.input_height, model.info.vit.input_width);
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
  std::string text = fmt::format("{}\n{}\n{}\n{} {} {}\n", modelText(model),
                                 wholePath(request.data), wholePath(request.dataset.labels),
                                 request.dataset.unlabelled, request.limit, request.seed);
  if (request.tiers.empty()) {
    for (const MeasuredChoice& entry : countedChoices(request)) {
      text += settingsText(entry.choice) + "\n";
    }
  } else {
    for (const double tier : request.tiers) text += fmt::format("{} G\n", tier);
    for (const MethodChoice& method : request.methods) text += settingsText(method) + "\n";
    for (const MethodChoice& choice : request.exact) text += "= " + settingsText(choice) + "\n";
  }
  return stateFile(kEvaluations, text);
}

std::filesystem::path stateFile(const CalibrationRequest& request, const LoadedModel& model) {
  return stateFile(
      kCalibrations,
      fmt::format("{}\n{}\n{}\n{}\n{}", modelText(model), wholePath(request.folder), request.limit,
                  fmt::join(request.r_max, " "), settingsText(request.choice)));
}

void tidyStates() {
  for (const QFileInfo& old : statesIn(kCalibrations).mid(kKeptStates)) {
    QFile::remove(old.filePath());
  }
  const QFileInfoList files = statesIn(kEvaluations);
  // Rows of images are large; a state goes on without them.
  for (qsizetype i = kKeptRows; i < files.size(); ++i) {
    std::error_code gone_already;
    std::filesystem::remove(picturesFile(files[i].filePath().toStdString()), gone_already);
    if (i >= kKeptStates) QFile::remove(files[i].filePath());
  }
}

std::filesystem::path picturesFile(const std::filesystem::path& state) {
  return std::filesystem::path(state).replace_extension(".csv");
}

EvaluationReportPtr makeReport(Evaluation evaluation, const ModelInfo& model,
                               const std::filesystem::path& data,
                               const std::vector<std::string>& notes,
                               const std::filesystem::path& pictures) {
  auto report = std::make_shared<EvaluationReport>();
  report->evaluation = std::move(evaluation);
  report->model = model.source;
  report->data = data;
  report->notes = notes;
  report->pictures = pictures;
  const auto& points = report->evaluation.points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto other = counterpart(report->evaluation, i);
    report->compared.push_back(
        other ? std::optional<PointComparison>({*other, mcNemar(points[i], points[*other])})
              : std::nullopt);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0 || !report->evaluation.labelled) {
      report->difference.emplace_back();
      continue;
    }
    const PairedComparison paired = mcNemar(points[i], points.front());
    report->difference.push_back(pairedDifference(static_cast<int>(paired.only_first),
                                                  static_cast<int>(paired.only_second),
                                                  static_cast<int>(report->evaluation.images())));
  }
  return report;
}

AccuracyRecord toRecord(const Evaluation& evaluation) {
  AccuracyRecord record;
  record.model = evaluation.model;
  record.dataset = evaluation.dataset;
  record.images = evaluation.images();
  for (const SkippedImage& image : evaluation.skipped) record.skipped.push_back(image.name);
  record.device = evaluation.device;
  record.dtype = evaluation.dtype;
  for (const EvaluatedPoint& point : evaluation.points) record.points.push_back(point.accuracy);
  return record;
}

namespace {

bool merges(const MethodInfo& method) { return method.id != MethodChoice{}.method; }

/// For a shell.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./,:=+@%").find(char(c)) != std::string::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

EvaluationSetup EvaluationSetup::standard() {
  EvaluationSetup setup;
  for (const MethodInfo& method : adamerge::methods()) {
    if (merges(method)) setup.methods.push_back(method.id);
  }
  return setup;
}

EvaluationRequest makeRequest(const EvaluationSetup& setup,
                              const std::vector<MethodChoice>& canvases, const VitConfig& vit) {
  EvaluationRequest request;
  if (setup.data.empty()) throw Error(std::string("Choose a folder of images."));
  request.data = setup.data;
  request.dataset.unlabelled = setup.unlabelled;
  if (!setup.unlabelled) request.dataset.labels = setup.labels;
  request.limit = static_cast<std::size_t>(setup.limit);
  request.seed = static_cast<unsigned>(setup.seed);
  for (const std::string& id : setup.methods) {
    if (!runsIn(id, vit)) continue;
    MethodChoice method{id, {}, nullptr, false};
    method.settings = completeSettings(method, vit);
    request.methods.push_back(std::move(method));
  }
  if (setup.canvases) {
    for (const MethodChoice& choice : canvases) {
      if (choice.method == MethodChoice{}.method) continue;
      request.exact.push_back(choice);
      // Over the range too: that is the curve its point lies on.
      const bool known =
          std::any_of(request.methods.begin(), request.methods.end(),
                      [&](const MethodChoice& other) { return sameButCompression(other, choice); });
      if (!known) request.methods.push_back(choice);
    }
  }
  if (request.methods.empty()) throw Error(std::string("Choose a method."));
  const auto takes = [&](const std::string& key) {
    return std::any_of(request.methods.begin(), request.methods.end(), [&](const auto& method) {
      const CompressionKnob* knob = compressionKnob(method);
      return knob != nullptr && knob->key == key;
    });
  };
  if (setup.by_flops) {
    request.tiers = parseTiers("FLOPs", setup.flops);
    return request;
  }
  if (takes("r_max")) request.counts["r_max"] = parseCounts("r_max", setup.r_max);
  if (takes("r")) request.counts["r"] = parseCounts("r", setup.r);
  if (takes("ratio")) request.counts["ratio"] = parseCounts("ratio", setup.ratio);
  countedChoices(request);
  return request;
}

std::string equivalentCommand(const EvaluationSetup& setup, const LoadedModel& model) {
  std::string text = fmt::format("adamerge evaluate {} --model {} --device {} --dtype {}",
                                 quoted(setup.data.string()), quoted(model.info.source.string()),
                                 model.device, model.dtype);
  const VitConfig& vit = model.info.vit;
  std::vector<std::string> methods;
  std::copy_if(setup.methods.begin(), setup.methods.end(), std::back_inserter(methods),
               [&](const std::string& id) { return runsIn(id, vit); });
  text += fmt::format(" --methods {}", fmt::join(methods, ","));
  if (setup.unlabelled) text += " --unlabelled";
  if (!setup.unlabelled && !setup.labels.empty()) {
    text += " --labels " + quoted(setup.labels.string());
  }
  const auto names = [&](const char* key) {
    return std::any_of(methods.begin(), methods.end(), [&](const std::string& id) {
      const CompressionKnob* knob =
          findMethod(id).activeKnob(completeSettings({id, {}, nullptr, false}, vit));
      return knob != nullptr && knob->key == key;
    });
  };
  if (setup.by_flops) {
    text += " --flops " + quoted(setup.flops);
  } else {
    if (names("r_max")) text += " --r-max " + quoted(setup.r_max);
    if (names("r")) text += " --r " + quoted(setup.r);
    if (names("ratio")) text += " --ratio " + quoted(setup.ratio);
  }
  if (setup.limit > 0) text += fmt::format(" --limit {}", setup.limit);
  text += fmt::format(" --seed {}", setup.seed);
  return setup.canvases ? "adamerge-studio, with the settings of its canvases beside " + text
                        : text;
}

}  // namespace adamerge::ui
