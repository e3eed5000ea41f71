// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/benchmark_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "adamerge/error.h"
#include "benchmark/benchmark_format.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::json;

constexpr int kLargestCount = 1'000'000;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), json_(readJson(path)) {
    const auto format = json_.is_object() ? json_.find(kBenchmarkFormatKey) : json_.end();
    if (format == json_.end()) {
      throw Error(fmt::format("{}: was not written by 'adamerge bench --json'; it has no \"{}\"",
                              path_.string(), kBenchmarkFormatKey));
    }
    if (*format != kBenchmarkFormat) {
      fail(fmt::format("its \"{}\" is another than {}, written by another version of the program",
                       kBenchmarkFormatKey, kBenchmarkFormat));
    }
  }

  RecordedBenchmark read() {
    RecordedBenchmark record;
    const Json& machine = member(json_, "machine");
    record.processor = text(machine, "processor");
    record.cores = count(machine, "cores");
    record.instruction_set = text(machine, "instruction_set");
    for (const Json& model : list(json_, "models")) {
      const RecordedTime shared = readModel(model);
      for (const Json& point : list(model, "points")) {
        record.times.push_back(readPoint(point, shared));
      }
    }
    if (record.times.empty()) fail("it holds no time");
    return record;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: not usable as a benchmark: {}", path_.string(), what));
  }

  const Json& member(const Json& object, const char* key) const {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (found == object.end()) fail(fmt::format("\"{}\" is missing", key));
    return *found;
  }

  const Json& list(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_array()) fail(fmt::format("\"{}\" must be a list", key));
    return value;
  }

  std::string text(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_string()) fail(fmt::format("\"{}\" must be text", key));
    return value.get<std::string>();
  }

  int count(const Json& value, const char* key, const char* what) const {
    if (!value.is_number_integer() || value < 1 || value > kLargestCount) {
      fail(fmt::format(R"("{}" must {} of 1 to {})", key, what, kLargestCount));
    }
    return value.get<int>();
  }
  int count(const Json& object, const char* key) const {
    return count(member(object, key), key, "be a whole number");
  }

  /// `key` of the object `of`.
  double positive(const Json& object, const char* of, const char* key) const {
    const Json& value = member(member(object, of), key);
    const double number = value.is_number() ? value.get<double>() : 0;
    if (!(number > 0) || !std::isfinite(number)) {
      fail(fmt::format(R"("{}" of "{}" must be a number above 0)", key, of));
    }
    return number;
  }

  RecordedTime readModel(const Json& json) const {
    RecordedTime time;
    time.model = text(json, "model");
    const Json& size = list(json, "input_size");
    if (size.size() != 2) fail("\"input_size\" must be [height, width]");
    time.input_size.height = count(size[0], "input_size", "hold whole numbers");
    time.input_size.width = count(size[1], "input_size", "hold whole numbers");
    time.device = text(json, "device");
    time.dtype = text(json, "dtype");
    time.threads = count(json, "threads");
    time.product_gflops = positive(json, "product_gflops", "median");
    return time;
  }

  RecordedTime readPoint(const Json& json, RecordedTime time) const {
    time.name = text(json, "name");
    time.method = text(json, "method");
    const Json& settings = member(json, "settings");
    if (!settings.is_object()) fail("\"settings\" must be an object");
    time.settings = settings.dump(-1, ' ', false, Json::error_handler_t::replace);
    time.batch = count(json, "batch");
    const auto quantile = [&](const char* key) { return positive(json, "milliseconds", key); };
    time.milliseconds = {quantile("median"), quantile("lower_quartile"), quantile("upper_quartile"),
                         quantile("minimum"), quantile("maximum")};
    const auto& [median, lower, upper, minimum, maximum] = time.milliseconds;
    if (!(minimum <= lower && lower <= median && median <= upper && upper <= maximum)) {
      fail(fmt::format("the \"milliseconds\" of {} do not ascend from minimum to maximum",
                       time.name));
    }
    return time;
  }

  std::filesystem::path path_;
  Json json_;
};

Verdict verdictOf(const Spread& before, const Spread& after, double tolerance) {
  const double ratio = after.median / before.median;
  if (ratio > tolerance && after.lower_quartile > before.upper_quartile) return Verdict::kSlower;
  if (ratio < 1 / tolerance && after.upper_quartile < before.lower_quartile) {
    return Verdict::kFaster;
  }
  return Verdict::kUnchanged;
}

}  // namespace

bool RecordedTime::sameConfiguration(const RecordedTime& other) const {
  const auto parts = [](const RecordedTime& time) {
    return std::tie(time.model, time.input_size.height, time.input_size.width, time.device,
                    time.dtype, time.threads, time.method, time.settings, time.batch);
  };
  return parts(*this) == parts(other);
}

bool RecordedBenchmark::sameMachine(const RecordedBenchmark& other) const {
  return std::tie(processor, cores, instruction_set) ==
         std::tie(other.processor, other.cores, other.instruction_set);
}

RecordedBenchmark readBenchmark(const std::filesystem::path& path) { return Reader(path).read(); }

BenchmarkComparison compareBenchmarks(const RecordedBenchmark& before,
                                      const RecordedBenchmark& after, double tolerance) {
  BenchmarkComparison comparison;
  comparison.only_after = after.times;
  for (const RecordedTime& time : before.times) {
    std::vector<RecordedTime>& others = comparison.only_after;
    const auto found = std::find_if(others.begin(), others.end(), [&](const RecordedTime& other) {
      return time.sameConfiguration(other);
    });
    if (found == others.end()) {
      comparison.only_before.push_back(time);
      continue;
    }
    comparison.shared.push_back({time, *found,
                                 found->milliseconds.median / time.milliseconds.median,
                                 verdictOf(time.milliseconds, found->milliseconds, tolerance)});
    others.erase(found);
  }
  return comparison;
}

}  // namespace adamerge
