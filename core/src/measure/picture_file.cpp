// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "adamerge/engine.h"
#include "adamerge/pictures.h"
#include "adamerge/report.h"
#include "measure/picture_rows.h"
#include "support/json.h"
#include "support/text.h"
#include "weights/mapped_file.h"

namespace adamerge {
namespace {

/// The fields of one row, as they stand in the file.
using Fields = std::vector<std::string_view>;

constexpr std::size_t kRowsBetweenLooks = 4096;
constexpr std::size_t kMostChoices = 10'000;
constexpr int kMostClassIndex = 1'000'000;
constexpr std::size_t kFingerprintDigits = 16;
constexpr int kMostMerged = std::numeric_limits<std::uint16_t>::max();

}  // namespace

struct PictureFile::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  MappedFile file;
  PictureColumns columns{};
  std::string model;
  std::filesystem::path dataset;
  std::vector<MethodChoice> choices;
  std::vector<std::string> statistics;  ///< fingerprints, one a choice; empty: it used none
  std::map<int, std::string> classes;
  bool labelled = false;
  // One a picture.
  std::vector<std::uint64_t> offsets;  ///< of its first row
  std::vector<std::int32_t> labels;
  std::vector<std::array<float, 2>> complexities;
  // One a row, pictures one after the other.
  std::vector<Outcome> outcomes;
  std::vector<std::uint16_t> merged;  ///< one a block of each

  void read(const ProgressCallback& progress, const std::stop_token& stop);

 private:
  template <class Number>
  Number number(const Fields& fields, std::size_t column, Number low, Number high) const;
  void readRow(const Fields& fields);
  void check(const Fields& fields, const Outcome& outcome) const;
  void readFirst(const Fields& fields);
  MethodChoice choiceOf(const Fields& fields) const;
  std::string fingerprintOf(const Fields& fields) const;
  void findStatistics();
  void name(int index, std::string_view field);
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: row {}: {}", file.name(), row_ + 2, what));
  }

  std::size_t row_ = 0;
  std::uint64_t at_ = 0;
  std::vector<std::string> texts_;  ///< settingsText() of each choice
  std::string image_;               ///< of the picture being read, as it stands
  std::string label_;               ///< the same
  std::int32_t unmerged_top_ = -1;  ///< the class that the unmerged model takes it for
};

namespace {

/// "method,settings,statistics", as they stand.
std::string settingsText(const Fields& fields, const PictureColumns& columns) {
  return fmt::format("{},{},{}", fields[columns.method], fields[columns.settings],
                     fields[columns.statistics]);
}

}  // namespace

template <class Number>
Number PictureFile::State::number(const Fields& fields, std::size_t column, Number low,
                                  Number high) const {
  const std::string_view text = fields[column];
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !(value >= low && value <= high)) {
    fail(fmt::format("\"{}\" in column {} is no number from {} to {}", printable(text, 40),
                     column + 1, low, high));
  }
  return value;
}

MethodChoice PictureFile::State::choiceOf(const Fields& fields) const {
  MethodChoice choice{csvUnquoted(fields[columns.method]), {}, nullptr, false};
  try {
    const nlohmann::json json =
        parseJsonObject(csvUnquoted(fields[columns.settings]), "column settings");
    const nlohmann::json holder = {{"settings", json}};
    choice.settings = JsonFields::of(holder, "column settings").settings("settings").valueOr({});
    choice.settings = completeSettings(choice);
  } catch (const Error& error) {
    fail(error.what());
  }
  return choice;
}

/// Of layer statistics; it names a file, so it is no more than it should be.
std::string PictureFile::State::fingerprintOf(const Fields& fields) const {
  std::string text = csvUnquoted(fields[columns.statistics]);
  const bool hexadecimal = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!text.empty() && (text.size() != kFingerprintDigits || !hexadecimal)) {
    fail(fmt::format("\"{}\" in column {} is no fingerprint of {} hexadecimal digits",
                     printable(text, 40), columns.statistics + 1, kFingerprintDigits));
  }
  return text;
}

void PictureFile::State::name(int index, std::string_view field) {
  if (!field.empty() && !classes.contains(index)) classes.emplace(index, csvUnquoted(field));
}

/// What the first row of a picture tells.
void PictureFile::State::readFirst(const Fields& fields) {
  const int label =
      fields[columns.label].empty() ? -1 : number(fields, columns.label, 0, kMostClassIndex);
  if (label >= 0) name(label, fields[columns.class_name]);
  labelled = labelled || label >= 0;
  labels.push_back(label);
  offsets.push_back(at_);
  constexpr float kMost = 1e6F;
  complexities.push_back(
      {number(fields, columns.edges, 0.0F, kMost), number(fields, columns.entropy, 0.0F, kMost)});
}

void PictureFile::State::readRow(const Fields& fields) {
  if (fields.size() != columns.count) {
    fail(fmt::format("it has {} fields, the first line has {}", fields.size(), columns.count));
  }
  const std::string_view image = fields[columns.image];
  const std::string text = settingsText(fields, columns);
  const bool first_picture = offsets.size() <= 1 && (offsets.empty() || image == image_);
  std::size_t point = outcomes.size();
  if (first_picture) {
    if (choices.size() >= kMostChoices) fail("there are too many settings");
    if (std::find(texts_.begin(), texts_.end(), text) != texts_.end()) {
      fail("an image's setting is there twice");
    }
    choices.push_back(choiceOf(fields));
    statistics.push_back(fingerprintOf(fields));
    texts_.push_back(text);
    if (choices.front().method != MethodChoice{}.method) {
      fail("the unmerged model's row does not come first");
    }
  } else {
    point = outcomes.size() % choices.size();
    if (texts_[point] != text || (point > 0 && image != image_)) {
      fail(
          "not what comes next: of every image all settings are expected together, in the order of "
          "the first one's");
    }
  }
  if (point == 0) {
    image_ = image;
    label_ = fields[columns.label];
    readFirst(fields);
  }
  Outcome outcome;
  outcome.class_probability = std::numeric_limits<float>::quiet_NaN();
  const PictureColumns::Top& top = columns.top.front();
  if (!fields[top.index].empty()) {
    outcome.top = number(fields, top.index, 0, kMostClassIndex);
    outcome.top_probability = number(fields, top.probability, 0.0F, 1.0F);
    outcome.class_probability = number(fields, columns.class_probability, 0.0F, 1.0F);
    outcome.right = number(fields, columns.right, 0, 1) == 1;
    name(outcome.top, fields[top.name]);
  }
  for (const std::size_t block : columns.blocks) {
    merged.push_back(static_cast<std::uint16_t>(number(fields, block, 0, kMostMerged)));
  }
  outcome.merged = number(fields, columns.merged, 0, std::numeric_limits<int>::max());
  if (point == 0) unmerged_top_ = outcome.top;
  check(fields, outcome);
  outcomes.push_back(outcome);
}

/// What is read again by row(), and what the row says twice.
void PictureFile::State::check(const Fields& fields, const Outcome& outcome) const {
  for (const PictureColumns::Top& top : columns.top) {
    if (fields[top.index].empty()) continue;
    number(fields, top.index, 0, kMostClassIndex);
    number(fields, top.probability, 0.0, 1.0);
  }
  constexpr double kMostCosine = 1.001;  // rounded
  constexpr double kMostFlops = 1e15;
  for (const std::size_t cosine : {columns.logit_cosine, columns.embedding_cosine}) {
    if (!fields[cosine].empty() && fields[cosine] != "nan") {
      number(fields, cosine, -kMostCosine, kMostCosine);
    }
  }
  number(fields, columns.flops, 0.0, kMostFlops);
  const auto blocks = std::prev(merged.end(), static_cast<std::ptrdiff_t>(columns.blocks.size()));
  const int sum = std::accumulate(blocks, merged.end(), 0);
  if (outcome.merged != sum) {
    fail(fmt::format("{} tokens merged, but {} in its blocks", outcome.merged, sum));
  }
  if (fields[columns.label] != label_) fail("another label than in the image's first row");
  const int wanted = labels.back() >= 0 ? labels.back() : unmerged_top_;
  if (outcome.top >= 0 && outcome.right != (outcome.top == wanted)) {
    fail(fmt::format("\"right\" is {:d}, and the image's class is {}, its top class {}",
                     outcome.right, wanted, outcome.top));
  }
}

void PictureFile::State::read(const ProgressCallback& progress, const std::stop_token& stop) {
  const std::string_view text = file.text();
  Fields fields;
  std::size_t at = splitCsvRow(text, 0, fields);
  if (at == std::string_view::npos) {
    throw Error(fmt::format("{}: not a file of `adamerge evaluate --per-image`", file.name()));
  }
  columns = pictureColumns(fields, file.name());
  while (at < text.size()) {
    if (row_ % kRowsBetweenLooks == 0) {
      throwIfStopped(stop);
      if (progress) {
        progress(
            {"reading", static_cast<std::int64_t>(at), static_cast<std::int64_t>(text.size())});
      }
    }
    at_ = at;
    at = splitCsvRow(text, at, fields);
    if (at == std::string_view::npos) fail("the file ends in the middle of it");
    readRow(fields);
    if (row_++ == 0) {
      model = csvUnquoted(fields[columns.model]);
      dataset = csvUnquoted(fields[columns.dataset]);
    }
  }
  if (outcomes.empty()) throw Error(fmt::format("{}: it holds no images", file.name()));
  if (outcomes.size() % choices.size() != 0) fail("the last image has not all settings");
  findStatistics();
}

/// Those that are not there, or are others now, statisticsProblem() tells of.
void PictureFile::State::findStatistics() {
  for (std::size_t point = 0; point < choices.size(); ++point) {
    if (statistics[point].empty()) continue;
    try {
      auto found = std::make_shared<const Statistics>(
          readStatistics(statisticsBeside(file.path(), statistics[point])));
      if (statisticsFingerprint(*found) == statistics[point]) {
        choices[point].statistics = std::move(found);
      }
    } catch (const Error&) {
      continue;
    }
  }
}

PictureFile::PictureFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PictureFile::~PictureFile() = default;

std::shared_ptr<const PictureFile> PictureFile::open(const std::filesystem::path& path,
                                                     const ProgressCallback& progress,
                                                     const std::stop_token& stop) {
  auto state = std::make_unique<State>(path);
  state->read(progress, stop);
  return std::shared_ptr<const PictureFile>(new PictureFile(std::move(state)));
}

const std::filesystem::path& PictureFile::path() const { return state_->file.path(); }
const std::string& PictureFile::model() const { return state_->model; }
const std::filesystem::path& PictureFile::dataset() const { return state_->dataset; }
const std::vector<MethodChoice>& PictureFile::choices() const { return state_->choices; }
std::string PictureFile::statisticsProblem(std::size_t point, const Engine& engine) const {
  const MethodChoice& choice = choices()[point];
  const std::string& measured = state_->statistics[point];
  if (!usesStatistics(choice) || statisticsFingerprint(engine, choice) == measured) return {};
  const std::string name = describe(choice);
  if (measured.empty()) {
    return fmt::format(
        "{} was measured without layer statistics, which {} has now: counts and groups differ from "
        "those measured",
        name, engine.info().name);
  }
  return fmt::format(
      "{} was measured with other layer statistics than those {} has now, and they are not beside "
      "the rows ({}): counts and groups differ from those measured",
      name, engine.info().name, statisticsBeside(path().filename(), measured).string());
}

std::size_t PictureFile::pictures() const { return state_->offsets.size(); }
int PictureFile::depth() const { return static_cast<int>(state_->columns.blocks.size()); }
bool PictureFile::labelled() const { return state_->labelled; }

const PictureFile::Outcome& PictureFile::outcome(std::size_t picture, std::size_t point) const {
  return state_->outcomes[picture * state_->choices.size() + point];
}
int PictureFile::label(std::size_t picture) const { return state_->labels[picture]; }
Complexity PictureFile::complexity(std::size_t picture) const {
  const auto& [edges, entropy] = state_->complexities[picture];
  return {edges, entropy};
}
int PictureFile::merged(std::size_t picture, std::size_t point, int block) const {
  const std::size_t row = picture * state_->choices.size() + point;
  return state_->merged[row * state_->columns.blocks.size() + static_cast<std::size_t>(block)];
}

std::string PictureFile::className(int index) const {
  const auto known = state_->classes.find(index);
  return known != state_->classes.end() ? known->second : fmt::format("class {}", index);
}

std::vector<int> PictureFile::classIndices() const {
  std::vector<int> indices;
  for (const auto& [index, unused] : state_->classes) indices.push_back(index);
  return indices;
}

std::string PictureFile::imageName(std::size_t picture) const {
  Fields fields;
  splitCsvRow(state_->file.text(), state_->offsets[picture], fields);
  return csvUnquoted(fields[state_->columns.image]);
}

PictureRow PictureFile::row(std::size_t picture, std::size_t point) const {
  const PictureColumns& columns = state_->columns;
  Fields fields;
  std::size_t at = state_->offsets[picture];
  for (std::size_t i = 0; i <= point; ++i) at = splitCsvRow(state_->file.text(), at, fields);
  const auto number = [&](std::size_t column) {
    double value = 0;
    std::from_chars(fields[column].data(), fields[column].data() + fields[column].size(), value);
    return value;
  };
  const auto optional = [&](std::size_t column) {
    return fields[column].empty() ? std::nullopt : std::optional(number(column));
  };
  PictureRow row;
  row.image = csvUnquoted(fields[columns.image]);
  row.label = state_->labels[picture];
  row.label_name = csvUnquoted(fields[columns.class_name]);
  for (const PictureColumns::Top& top : columns.top) {
    if (fields[top.index].empty()) break;
    row.top.push_back({static_cast<int>(number(top.index)), csvUnquoted(fields[top.name]),
                       number(top.probability)});
  }
  row.class_probability = optional(columns.class_probability);
  row.right = outcome(picture, point).right;
  row.logit_cosine = optional(columns.logit_cosine);
  row.embedding_cosine = number(columns.embedding_cosine);
  for (int block = 0; block < depth(); ++block) {
    row.merged.push_back(merged(picture, point, block));
  }
  row.flops = number(columns.flops);
  row.complexity = {number(columns.edges), number(columns.entropy)};
  row.pixels = csvUnquoted(fields[columns.pixels]);
  return row;
}

Image PictureFile::load(std::size_t picture) const {
  const PictureRow measured = row(picture, 0);
  const ImagePlace where = placeOf(dataset(), measured.image);
  Image image = loadImage(where);
  if (pixelFingerprint(image) != measured.pixels) {
    throw Error(fmt::format("{}: another picture than the one that was measured",
                            where.record > 0
                                ? fmt::format("{}, image {}", where.file.string(), where.record)
                                : where.file.string()));
  }
  return image;
}

}  // namespace adamerge
