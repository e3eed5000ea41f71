// SPDX-License-Identifier: GPL-3.0-or-later
// What the program itself wrote, or a person: statistics, results, states, sessions, labels.
#include <nlohmann/json.hpp>

#include "adamerge/benchmark.h"
#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "adamerge/hub.h"
#include "adamerge/methods.h"
#include "adamerge/pictures.h"
#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "bench/session.h"
#include "datasets/cifar.h"
#include "datasets/class_names.h"
#include "hub/listing.h"
#include "measure/calibration_state.h"
#include "measure/choices.h"
#include "measure/tally.h"
#include "sources/embedded_settings.h"
#include "support/json.h"
#include "targets.h"

namespace adamerge::fuzz {
namespace {

namespace fs = std::filesystem;

/// What is read once is written and read again.
void readStatistics(Bytes input) {
  const Statistics statistics = adamerge::readStatistics(asFile("stats.json", input));
  for (const int r_max : {0, 1, 8, 1'000'000}) touch(interpolate(statistics, r_max).mu);
  const fs::path again = asFile("again.json", "");
  writeStatistics(statistics, again);
  require(adamerge::readStatistics(again).entries.size() == statistics.entries.size(),
          "statistics change when they are written");
}

void readResults(Bytes input) { touch(readAccuracyRecord(asFile("results.json", input)).model); }

void readTimes(Bytes input) {
  for (const auto& time : readBenchmark(asFile("bench.json", input)).times) touch(time.settings);
}

void readState(Bytes input) {
  const fs::path file = asFile("state.json", input);
  for (const MeasuredChoice& choice : keptChoices(file, "--flops 1")) touch(choice.choice.method);
  constexpr int kDepth = 2;
  try {
    Tally tally = Tally::fromJson(readJson(file), 2, kDepth);
    const nlohmann::ordered_json written = tally.toJson();
    tally.append(Tally::fromJson(nlohmann::json::parse(written.dump()), 2, kDepth), 1);
    for (const PointTally& point : tally.points) {
      point.point({}, static_cast<int>(tally.done), true, true);
    }
  } catch (const nlohmann::json::exception&) {
    // readState() makes the sentence for it.
  }
}

void readCalibration(Bytes input) {
  constexpr int kDepth = 2;
  constexpr std::size_t kImages = 100;
  const std::vector<int> counts = {4, 9};
  const auto read = [&](const nlohmann::json& json) {
    return CalibrationState::fromJson(json, counts, /*passes=*/2, kDepth, kImages);
  };
  try {
    const CalibrationState state = read(readJson(asFile("state.json", input)));
    for (const Moments& moments : state.moments) touch(moments.entry(4).sigma);
    const nlohmann::ordered_json written = state.toJson();
    require(read(nlohmann::json::parse(written.dump())).toJson() == written,
            "a calibration's state changes when it is written");
  } catch (const nlohmann::json::exception&) {
    // readCalibrationState() makes the sentence for it.
  }
}

void readSession(Bytes input) {
  const ui::Session session = ui::openSession(asFile("a.session.json", input));
  const std::string text = ui::toJson(session);
  require(ui::toJson(ui::parseSession(text, "again")) == text,
          "a session changes when it is written");
  ui::saveSession(session, asFile("b.session.json", ""));
}

void readFigure(Bytes input) {
  const auto text = ui::readProvenance(asFile("figure", input));
  if (!text) return;
  for (const Provenance& provenance : parseProvenance(*text)) touch(provenance.image);
}

void readProvenanceText(Bytes input) {
  if (const auto trace = tracedBy(asText(input))) touch(trace->trace.string() + trace->image);
  for (const Provenance& provenance : parseProvenance(asText(input))) touch(provenance.image);
}

ModelInfo modelWith(std::vector<std::string> labels) {
  ModelInfo model;
  model.name = "a-model";
  model.vit.classes = static_cast<int>(labels.size());
  model.labels = std::move(labels);
  return model;
}

std::vector<std::string> linesOf(Bytes bytes) {
  std::vector<std::string> lines(1);
  for (const std::uint8_t byte : bytes) {
    if (byte != '\n') {
      lines.back().push_back(static_cast<char>(byte));
    } else {
      lines.emplace_back();
    }
  }
  return lines;
}

/// Names of folders, a line each; the model's labels; a file that maps one to the other.
void readLabels(Bytes input) {
  const std::vector<Bytes> files = parts(input, 3);
  const ModelInfo model = modelWith(linesOf(files[1]));
  std::vector<std::string> notes;
  const std::vector<std::string> names = linesOf(files[0]);
  const auto check = [&](const std::vector<int>& classes) {
    require(classes.size() == names.size(), "a name without an answer");
    for (const int index : classes) {
      require(index >= 0 && index < model.vit.classes, "a class that the model does not have");
    }
  };
  try {
    check(matchClasses(names, model, {}, "folder", notes));
  } catch (const Error&) {
    // By the file it may serve.
  }
  check(matchClasses(names, model, asFile("labels.csv", files[2]), "folder", notes));
}

void readCifar(Bytes input) {
  const fs::path file = asFile("cifar/test_batch.bin", input);
  const std::vector<int> labels = cifar::readLabels(file);
  touch(labels);
  touch(cifar::readImage(file, static_cast<std::uint32_t>(labels.size() - 1)).pixels);
}

void readCifarNames(Bytes input) {
  std::vector<std::string> notes;
  const fs::path file = asFile("names/batches.meta.txt", input);
  for (const std::string& name : cifar::classNames(file.parent_path(), notes)) touch(name);
}

void readCounts(Bytes input) {
  touch(parseCounts("--r", asText(input)));
  touch(parseTiers("--flops", asText(input)));
}

void readImportance(Bytes input) {
  const Importance importance = adamerge::readImportance(asFile("importance.json", input));
  for (const auto& scores : importance.scores) touch(scores);
  const fs::path again = asFile("importance-again.json", "");
  writeImportance(importance, again);
  require(adamerge::readImportance(again).scores == importance.scores,
          "importance changes when it is written");
}

/// What is read once is written and read again.
void readSchedules(Bytes input) {
  for (const Schedule& schedule : adamerge::readSchedules(asFile("schedule.json", input))) {
    const fs::path again = asFile("schedule-again.json", "");
    writeSchedule(schedule, again);
    require(readSchedule(again.string()).counts == schedule.counts,
            "a schedule changes when it is written");
  }
}

/// The hub's answer becomes names of files.
void readHubAnswer(Bytes input) {
  const hub::ModelName name{"owner/model"};
  hub::Settings settings;
  settings.endpoint = "https://hub";
  const hub::Listing listing = hub::parseListing(std::string(asText(input)), name, settings);
  for (const hub::RemoteFile& file : hub::chooseWeights(listing, name)) {
    require(fs::path(file.name).filename() == file.name && file.name != "..",
            "a name that leads out of its folder");
    touch(file.hash);
  }
}

void readPictures(Bytes input) {
  const auto file = PictureFile::open(asFile("rows.csv", input));
  for (std::size_t picture = 0; picture < file->pictures(); ++picture) {
    for (std::size_t point = 0; point < file->choices().size(); ++point) {
      touch(file->row(picture, point).image);
    }
    touch(file->place(picture).file.string());
  }
  for (std::size_t point = 0; point < file->choices().size(); ++point) {
    require(selectPictures(*file, point, {PictureShow::kAll, -1, -1}).size() == file->pictures(),
            "pictures are lost");
  }
  touch(picturesJson(*file));
}

}  // namespace

std::vector<Target> textTargets() {
  return {{"statistics", readStatistics},
          {"results", readResults},
          {"times", readTimes},
          {"state", readState},
          {"calibration", readCalibration},
          {"session", readSession},
          {"figure", readFigure},
          {"provenance", readProvenanceText},
          {"labels", readLabels},
          {"cifar", readCifar},
          {"cifar-names", readCifarNames},
          {"counts", readCounts},
          {"importance", readImportance},
          {"schedule", readSchedules},
          {"pictures", readPictures},
          {"hub", readHubAnswer}};
}

}  // namespace adamerge::fuzz
