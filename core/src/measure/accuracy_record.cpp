// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/evaluate.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr double kMost = 1e15;
constexpr int kMostImages = 1'000'000'000;

std::string requiredText(const JsonFields& fields, std::string_view key) {
  std::string text = fields.text(key).required();
  if (text.empty()) fields.fail(key, "is empty");
  return text;
}

/// Lies in 0 to 100 and holds top1.
std::optional<Interval> intervalOf(const JsonFields& point, const std::optional<double>& top1) {
  constexpr std::string_view kKey = "top1_interval";
  const Field<std::vector<double>> ends = point.numbers(kKey);
  if (!ends) return std::nullopt;
  if ((*ends).size() != 2) point.fail(kKey, "must be [low, high]");
  if (!top1) point.fail(kKey, "stands without top1");
  const Interval interval{(*ends)[0], (*ends)[1]};
  if (interval.low < 0 || interval.high > 100 || interval.low > *top1 || interval.high < *top1) {
    point.fail(kKey, fmt::format("is [{}, {}]; it must lie in 0 to 100 and hold top1, {}",
                                 interval.low, interval.high, *top1));
  }
  return interval;
}

std::vector<double> tokensOf(const JsonFields& point) {
  std::vector<double> tokens = point.numbers("tokens_per_block").valueOr({});
  if (std::any_of(tokens.begin(), tokens.end(), [](double count) { return !(count > 0); })) {
    point.fail("tokens_per_block", "must hold numbers above 0");
  }
  return tokens;
}

Settings recordedSettings(const JsonFields& point, const std::string& method) {
  const Settings settings = point.settings("settings").required();
  try {
    return completeSettings({method, settings, nullptr, false});
  } catch (const Error& error) {
    point.fail("settings", fmt::format("cannot be used: {}", error.what()));
  }
}

/// Of the dense head's maps; nullopt where there is none.
std::optional<MapAgreement> mapsOf(const JsonFields& point) {
  const JsonFields fields = point.below("dense");
  if (fields.object().empty()) return std::nullopt;
  const auto share = [&](std::string_view key) { return fields.number(key, 0, 1).required(); };
  return MapAgreement{share("patch_agreement"), share("patch_miou"), share("pixel_agreement"),
                      share("pixel_miou")};
}

AccuracyPoint readPoint(const JsonFields& fields, int images) {
  AccuracyPoint point;
  point.method = requiredText(fields, "method");
  point.settings = recordedSettings(fields, point.method);
  point.images = fields.count("images", 1, kMostImages).valueOr(images);
  // Null says that the images have no labels.
  if (!fields.object().contains("top1")) fields.fail("top1", "is missing");
  point.top1 = fields.number("top1", 0, 100).value;
  point.top1_interval = intervalOf(fields, point.top1);
  point.top5 = fields.number("top5", 0, 100).value;
  point.agreement = fields.number("agreement", 0, 100).value;
  point.kl_divergence = fields.number("kl_divergence", 0, kMost).value;
  point.maps = mapsOf(fields);
  point.flops.paper = fields.positive("flops_paper").required();
  point.flops.total = fields.positive("flops_total").required();
  point.merged_mean = fields.number("merged_mean", 0, kMost).value;
  point.tokens_per_block = tokensOf(fields);
  point.images_per_second = fields.number("images_per_second", 0, kMost).value;
  return point;
}

}  // namespace

const AccuracyPoint* AccuracyRecord::unmerged() const {
  const auto found = std::find_if(points.begin(), points.end(), [](const AccuracyPoint& point) {
    return point.method == "none";
  });
  return found == points.end() ? nullptr : &*found;
}

AccuracyRecord readAccuracyRecord(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as measured accuracy", path.string()));
  AccuracyRecord record;
  record.model = requiredText(fields, "model");
  record.dataset = requiredText(fields, "dataset");
  record.images = fields.count("images", 1, kMostImages).required();
  record.skipped = fields.texts("skipped").valueOr({});
  record.device = fields.text("device").valueOr("");
  record.dtype = fields.text("dtype").valueOr("");
  record.command = fields.text("command").valueOr("");
  for (const JsonFields& point : fields.list("points")) {
    record.points.push_back(readPoint(point, record.images));
  }
  if (record.unmerged() == nullptr) {
    fields.fail("points", "hold none of the method none; the unmerged model must be among them");
  }
  return record;
}

}  // namespace adamerge
