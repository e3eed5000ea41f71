// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/accuracy_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::json;

constexpr double kAnyPositive = 1e15;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), json_(readJson(path)) {
    if (!json_.is_object()) fail("the top level must be an object");
  }

  AccuracyRecord read() {
    AccuracyRecord record;
    record.model = text(json_, "model", true);
    record.dataset = text(json_, "dataset", true);
    record.images = count(json_, "images", std::nullopt);
    record.skipped = names("skipped");
    record.device = text(json_, "device", false);
    record.dtype = text(json_, "dtype", false);
    record.command = text(json_, "command", false);
    const auto points = json_.find("points");
    if (points == json_.end() || !points->is_array() || points->empty()) {
      fail("\"points\" must be a list with at least one point");
    }
    for (const Json& point : *points) {
      where_ = fmt::format(" of point {}", record.points.size() + 1);
      record.points.push_back(readPoint(point, record.images));
    }
    where_.clear();
    if (record.unmerged() == nullptr) {
      fail("no point has the method \"none\"; the unmerged model must be among them");
    }
    return record;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: not usable as measured accuracy: {}", path_.string(), what));
  }

  AccuracyPoint readPoint(const Json& json, int images) const {
    if (!json.is_object()) fail("each point must be an object");
    AccuracyPoint point;
    point.method = text(json, "method", true);
    point.settings = settings(json, point.method);
    point.images = count(json, "images", images);
    point.top1 = number(json, "top1", 0, 100, true);
    point.top1_interval = interval(json, point.top1);
    point.top5 = number(json, "top5", 0, 100, false);
    point.agreement = number(json, "agreement", 0, 100, false);
    point.flops.paper = positive(json, "flops_paper");
    point.flops.total = positive(json, "flops_total");
    point.merged_mean = number(json, "merged_mean", 0, kAnyPositive, false);
    point.tokens_per_block = tokens(json);
    point.images_per_second = number(json, "images_per_second", 0, kAnyPositive, false);
    return point;
  }

  std::string text(const Json& object, const char* key, bool required) const {
    const auto found = object.find(key);
    if (found == object.end() && !required) return {};
    if (found == object.end() || !found->is_string() ||
        (required && found->get_ref<const std::string&>().empty())) {
      fail(fmt::format("\"{}\"{} must be text", key, where_));
    }
    return found->get<std::string>();
  }

  int count(const Json& object, const char* key, std::optional<int> fallback) const {
    const auto found = object.find(key);
    if (found == object.end() && fallback) return *fallback;
    if (found == object.end() || !found->is_number_integer() || *found < 1 ||
        *found > 2'000'000'000) {
      fail(fmt::format("\"{}\"{} must be a whole number of at least 1", key, where_));
    }
    return found->get<int>();
  }

  /// nullopt for null, and for what is missing where it need not be there.
  std::optional<double> number(const Json& object, const char* key, double low, double high,
                               bool required) const {
    const auto found = object.find(key);
    if (found == object.end() && !required) return std::nullopt;
    if (found != object.end() && found->is_null()) return std::nullopt;
    if (found == object.end() || !found->is_number()) {
      fail(fmt::format("\"{}\"{} must be a number or null", key, where_));
    }
    const double value = found->get<double>();
    if (!std::isfinite(value) || value < low || value > high) {
      fail(fmt::format("\"{}\"{} is {}; it must be {} to {}", key, where_, value, low, high));
    }
    return value;
  }

  double positive(const Json& object, const char* key) const {
    const std::optional<double> value = number(object, key, 0, kAnyPositive, true);
    if (!value || *value <= 0) {
      fail(fmt::format("\"{}\"{} must be a number above 0 (in G)", key, where_));
    }
    return *value;
  }

  std::optional<Interval> interval(const Json& object, std::optional<double> value) const {
    const auto found = object.find("top1_interval");
    if (found == object.end() || found->is_null()) return std::nullopt;
    const bool pair = found->is_array() && found->size() == 2 && (*found)[0].is_number() &&
                      (*found)[1].is_number();
    if (!pair) fail(fmt::format("\"top1_interval\"{} must be [low, high] or null", where_));
    const Interval interval{(*found)[0].get<double>(), (*found)[1].get<double>()};
    if (!value) fail(fmt::format("\"top1_interval\"{} stands without \"top1\"", where_));
    if (interval.low < 0 || interval.high > 100 || interval.low > *value ||
        interval.high < *value) {
      fail(
          fmt::format("\"top1_interval\"{} is [{}, {}]; it must lie in 0 to 100 and hold "
                      "\"top1\", {}",
                      where_, interval.low, interval.high, *value));
    }
    return interval;
  }

  std::vector<double> tokens(const Json& object) const {
    std::vector<double> values;
    const auto found = object.find("tokens_per_block");
    if (found == object.end() || found->is_null()) return values;
    if (!found->is_array()) fail(fmt::format("\"tokens_per_block\"{} must be a list", where_));
    for (const Json& entry : *found) {
      if (!entry.is_number() || !(entry.get<double>() > 0)) {
        fail(fmt::format("\"tokens_per_block\"{} must hold numbers above 0", where_));
      }
      values.push_back(entry.get<double>());
    }
    return values;
  }

  std::vector<std::string> names(const char* key) const {
    std::vector<std::string> list;
    const auto found = json_.find(key);
    if (found == json_.end()) return list;
    if (!found->is_array()) fail(fmt::format("\"{}\" must be a list of names", key));
    for (const Json& name : *found) {
      if (!name.is_string()) fail(fmt::format("\"{}\" must be a list of names", key));
      list.push_back(name.get<std::string>());
    }
    return list;
  }

  Settings settings(const Json& object, const std::string& method) const {
    const auto found = object.find("settings");
    if (found == object.end() || !found->is_object()) {
      fail(fmt::format("\"settings\"{} must be an object", where_));
    }
    MethodChoice choice{method, {}, nullptr, false};
    for (const auto& [key, value] : found->items()) choice.settings[key] = setting(key, value);
    try {
      return completeSettings(choice);
    } catch (const Error& error) {
      fail(fmt::format("the settings{}: {}", where_, error.what()));
    }
  }

  SettingValue setting(const std::string& key, const Json& value) const {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) return value.get<std::string>();
    const bool list =
        value.is_array() && std::all_of(value.begin(), value.end(),
                                        [](const Json& v) { return v.is_number_integer(); });
    if (!list) {
      fail(
          fmt::format("setting \"{}\"{} must be a number, text, true, false or a list of whole "
                      "numbers",
                      key, where_));
    }
    return value.get<std::vector<std::int64_t>>();
  }

  std::filesystem::path path_;
  Json json_;
  std::string where_;  ///< " of point 3"
};

}  // namespace

const AccuracyPoint* AccuracyRecord::unmerged() const {
  const auto found = std::find_if(points.begin(), points.end(), [](const AccuracyPoint& point) {
    return point.method == "none";
  });
  return found == points.end() ? nullptr : &*found;
}

AccuracyRecord readAccuracyRecord(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace adamerge
