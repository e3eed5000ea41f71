// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/state_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "measure/calibration_state.h"
#include "measure/choices.h"
#include "model/model_config.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 3;
/// Only where rows of every image are written.
constexpr const char* kPictures = "pictures";
constexpr std::size_t kEnd = 64U << 10U;

/// Size, head and tail: large weight files are not read whole.
void addFile(Fingerprint& fingerprint, const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::error_code code;
  const std::uintmax_t size = fs::file_size(path, code);
  fingerprint.add(path.filename().string());
  fingerprint.add(size);
  std::string bytes(kEnd, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(kEnd));
  fingerprint.add(bytes);
  stream.clear();
  stream.seekg(static_cast<std::streamoff>(size > kEnd ? size - kEnd : 0));
  stream.read(bytes.data(), static_cast<std::streamsize>(kEnd));
  fingerprint.add(bytes);
}

std::string modelFingerprint(const ModelInfo& model) {
  std::error_code code;
  std::vector<fs::path> files;
  const bool folder = fs::is_directory(model.source, code);
  if (!folder) files.push_back(model.source);
  for (fs::directory_iterator entry(folder ? model.source : fs::path(), code), end;
       !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (mayBeWeights(name) || name == "config.json" || name == "open_clip_config.json") {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  if (!model.head.empty()) files.push_back(model.head);
  if (!model.dense_head.empty()) files.push_back(model.dense_head);
  Fingerprint fingerprint;
  for (const fs::path& file : files) addFile(fingerprint, file);
  fingerprint.add(model.weight_set);
  fingerprint.add(describe(model.preprocessing));
  fingerprint.add(static_cast<std::uint64_t>(model.vit.resampling));
  return fingerprint.text();
}

/// Of the layer statistics that the choices may use.
std::string statisticsFingerprint(const Engine& engine, std::span<const MeasuredChoice> choices) {
  Fingerprint fingerprint;
  for (const MeasuredChoice& entry : choices) {
    if (const auto used = usedStatistics(engine, entry.choice)) add(fingerprint, *used);
  }
  return fingerprint.text();
}

std::string named(const std::string& text, const std::string& compared) {
  if (text.empty() || compared.empty()) return text + compared;
  return fmt::format("{} [{}]", text, compared);
}

constexpr const char* kNotOurs = "fields are missing or of another kind";

UnusableState damaged(const fs::path& path, const std::string& subject, const std::string& what) {
  return UnusableState(
      fmt::format("{}: not usable as the state of an interrupted {}: {}; remove it to begin anew",
                  path.string(), subject, what));
}

/// What `read` makes of the file's JSON; whatever it throws says that the file is damaged.
template <typename Read>
auto fromState(const fs::path& path, const std::string& subject, Read read) {
  nlohmann::json json;
  try {
    json = readJson(path);
  } catch (const Error& error) {
    throw UnusableState(fmt::format("{}; remove it to begin anew", error.what()));
  }
  try {
    return read(json);
  } catch (const UnusableState&) {
    throw;
  } catch (const nlohmann::json::exception&) {
    throw damaged(path, subject, kNotOurs);
  } catch (const Error& error) {
    throw damaged(path, subject, error.what());
  }
}

void requireSame(const fs::path& path, const nlohmann::json& json, const MeasurementKey& key) {
  if (json.at("format") != kFormat) throw Error(fmt::format("its format is not {}", kFormat));
  const auto difference = key.difference(json.at("key"));
  if (!difference) return;
  throw UnusableState(fmt::format(
      "{}: kept of {} {} with {}: {}, this is {}; finish that one with the options it was begun "
      "with, or remove the file to begin anew",
      path.string(), key.subject() == "evaluation" ? "an" : "a", key.subject(), difference->what,
      difference->other, difference->own));
}

}  // namespace

MeasurementKey::MeasurementKey(const Engine& engine, const Dataset& dataset,
                               std::span<const MeasuredChoice> choices,
                               const std::string& chosen_by)
    : subject_("evaluation") {
  std::vector<std::string> points;
  Fingerprint settings;
  for (const MeasuredChoice& entry : choices) {
    points.push_back(describe(entry.choice));
    settings.add(Json({entry.choice.method,
                       adamerge::toJson(settingsInForce(entry.choice, engine.info().vit)),
                       entry.tier.value_or(0)})
                     .dump());
  }
  facts_ = factsOf(engine, dataset);
  facts_.push_back({"chosen_by", "settings found in another way", chosen_by, ""});
  facts_.push_back(
      {"points", "other settings", fmt::format("{}", fmt::join(points, "; ")), settings.text()});
  facts_.push_back(
      {"statistics", "other layer statistics", "", statisticsFingerprint(engine, choices)});
}

MeasurementKey::MeasurementKey(const Engine& engine, const Dataset& dataset,
                               const CalibrationOptions& options)
    : subject_("calibration") {
  Fingerprint settings;
  settings.add(adamerge::toJson(settingsInForce(options.choice, engine.info().vit)).dump());
  facts_ = factsOf(engine, dataset);
  facts_.push_back({"counts", "other counts",
                    fmt::format("{} in {} passes", fmt::join(options.r_max, ","), options.passes),
                    ""});
  facts_.push_back({"points", "other settings", describe(options.choice), settings.text()});
}

std::vector<MeasurementKey::Fact> MeasurementKey::factsOf(const Engine& engine,
                                                          const Dataset& dataset) {
  return {{"model", "another model", engine.info().name, modelFingerprint(engine.info())},
          {"device", "another device or precision",
           fmt::format("{}, {}", engine.device(), engine.dtype()), ""},
          {"dataset", "other images",
           fmt::format("{} ({} images{})", dataset.name(), dataset.size(),
                       dataset.labelled() ? "" : ", unlabelled"),
           dataset.fingerprint()}};
}

Json MeasurementKey::toJson() const {
  Json json = Json::object();
  for (const Fact& fact : facts_) json[fact.key] = {fact.text, fact.compared};
  return json;
}

std::optional<MeasurementKey::Difference> MeasurementKey::difference(
    const nlohmann::json& other) const {
  for (const Fact& fact : facts_) {
    const auto text = other.at(fact.key).at(0).get<std::string>();
    const auto compared = other.at(fact.key).at(1).get<std::string>();
    // The name of a set is a path, which may be written in several ways.
    const bool same_text = text == fact.text || fact.key == "dataset";
    if (same_text && compared == fact.compared) continue;
    return Difference{fact.what, named(text, compared), named(fact.text, fact.compared)};
  }
  return std::nullopt;
}

std::optional<KeptState> readState(const fs::path& path, const MeasurementKey& key,
                                   std::size_t images, std::size_t points, int depth) {
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  return fromState(path, key.subject(), [&](const nlohmann::json& json) -> KeptState {
    requireSame(path, json, key);
    if (json.at("done") > images) throw Error("it counts more images than there are");
    const auto rows = json.find(kPictures);
    return {Tally::fromJson(json, points, depth),
            rows == json.end() ? std::nullopt : std::optional(rows->get<std::uint64_t>())};
  });
}

std::vector<MeasuredChoice> keptChoices(const fs::path& state, const std::string& chosen_by) {
  std::error_code code;
  if (!fs::exists(state, code)) return {};
  return fromState(state, "evaluation",
                   [&](const nlohmann::json& json) -> std::vector<MeasuredChoice> {
                     if (json.at("chosen_by").get<std::string>() != chosen_by) return {};
                     return choicesFromJson(json.at("choices"));
                   });
}

void writeState(const fs::path& path, const MeasurementKey& key,
                std::span<const MeasuredChoice> choices, const std::string& chosen_by,
                const Tally& tally, const std::optional<std::uint64_t>& pictures) {
  Json json = {{"format", kFormat},
               {"key", key.toJson()},
               {"chosen_by", chosen_by},
               {"choices", toJson(choices)}};
  json.update(tally.toJson());
  if (pictures) json[kPictures] = *pictures;
  writeFileAtomically(path, jsonText(json));
}

std::shared_ptr<const CalibrationState> readCalibrationState(const fs::path& path,
                                                             const MeasurementKey& key,
                                                             const CalibrationOptions& options,
                                                             int depth, std::size_t count) {
  std::error_code code;
  if (!fs::exists(path, code)) return nullptr;
  return fromState(path, key.subject(), [&](const nlohmann::json& json) {
    requireSame(path, json, key);
    return std::make_shared<const CalibrationState>(
        CalibrationState::fromJson(json.at("state"), options.r_max, options.passes, depth, count));
  });
}

void writeCalibrationState(const fs::path& path, const MeasurementKey& key,
                           const CalibrationState& state) {
  writeFileAtomically(
      path, jsonText({{"format", kFormat}, {"key", key.toJson()}, {"state", state.toJson()}}));
}

}  // namespace adamerge
