// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/state_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "adamerge/error.h"
#include "adamerge/report.h"
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

UnusableState damaged(const fs::path& path, const std::string& what) {
  return UnusableState(fmt::format(
      "{}: not usable as the state of an interrupted evaluation: {}; remove it to begin anew",
      path.string(), what));
}

/// What `read` makes of the file's JSON; whatever it throws says that the file is damaged.
template <typename Read>
auto fromState(const fs::path& path, Read read) {
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
    throw damaged(path, kNotOurs);
  } catch (const Error& error) {
    throw damaged(path, error.what());
  }
}

}  // namespace

EvaluationKey::EvaluationKey(const Engine& engine, const Dataset& dataset,
                             std::span<const MeasuredChoice> choices,
                             const std::string& chosen_by) {
  std::vector<std::string> points;
  Fingerprint settings;
  for (const MeasuredChoice& entry : choices) {
    points.push_back(describe(entry.choice));
    settings.add(Json({entry.choice.method,
                       adamerge::toJson(settingsInForce(entry.choice, engine.info().vit)),
                       entry.tier.value_or(0)})
                     .dump());
  }
  facts_ = {
      {"model", "another model", engine.info().name, modelFingerprint(engine.info())},
      {"device", "another device or precision",
       fmt::format("{}, {}", engine.device(), engine.dtype()), ""},
      {"dataset", "other images",
       fmt::format("{} ({} images{})", dataset.name(), dataset.size(),
                   dataset.labelled() ? "" : ", unlabelled"),
       dataset.fingerprint()},
      {"chosen_by", "settings found in another way", chosen_by, ""},
      {"points", "other settings", fmt::format("{}", fmt::join(points, "; ")), settings.text()},
      {"statistics", "other layer statistics", "", statisticsFingerprint(engine, choices)}};
}

Json EvaluationKey::toJson() const {
  Json json = Json::object();
  for (const Fact& fact : facts_) json[fact.key] = {fact.text, fact.compared};
  return json;
}

std::optional<EvaluationKey::Difference> EvaluationKey::difference(
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

std::optional<KeptState> readState(const fs::path& path, const EvaluationKey& key,
                                   std::size_t images, std::size_t points, int depth) {
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  return fromState(path, [&](const nlohmann::json& json) -> KeptState {
    if (json.at("format") != kFormat) {
      throw Error(fmt::format("its format is not {}", kFormat));
    }
    if (const auto difference = key.difference(json.at("key"))) {
      throw UnusableState(fmt::format(
          "{}: kept of an evaluation with {}: {}, this is {}; finish that one with the options it "
          "was begun with, or remove the file to begin anew",
          path.string(), difference->what, difference->other, difference->own));
    }
    if (json.at("done") > images) throw Error("it counts more images than there are");
    const auto rows = json.find(kPictures);
    return {Tally::fromJson(json, points, depth),
            rows == json.end() ? std::nullopt : std::optional(rows->get<std::uint64_t>())};
  });
}

std::vector<MeasuredChoice> keptChoices(const fs::path& state, const std::string& chosen_by) {
  std::error_code code;
  if (!fs::exists(state, code)) return {};
  return fromState(state, [&](const nlohmann::json& json) -> std::vector<MeasuredChoice> {
    if (json.at("chosen_by").get<std::string>() != chosen_by) return {};
    return choicesFromJson(json.at("choices"));
  });
}

void writeState(const fs::path& path, const EvaluationKey& key,
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

}  // namespace adamerge
