// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <random>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "measure/choices.h"
#include "measure/machine.h"

namespace adamerge {
namespace {

void requireUsable(std::span<const InputTensor> images, const BenchmarkOptions& options) {
  const std::vector<int>& batches = options.batches;
  if (images.empty()) throw Error("there is no image to run the benchmark on");
  if (batches.empty() || batches.front() < 1 ||
      std::adjacent_find(batches.begin(), batches.end(), std::greater_equal<>()) != batches.end()) {
    throw Error("batch sizes must be at least 1 and ascend");
  }
  if (options.warmup < 1 || options.runs < 1 || !(options.seconds > 0)) {
    throw Error("a benchmark needs at least one run to warm up, one timed run and some time");
  }
}

/// `images` from the first again and again, as many as `count`; nothing where they are enough.
std::vector<InputTensor> repeated(std::span<const InputTensor> images, std::size_t count) {
  std::vector<InputTensor> list;
  if (images.size() >= count) return list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(images[i % images.size()]);
  return list;
}

struct Case {
  MeasuredChoice measured;
  PreparedMethod method;
};

class Runner {
 public:
  Runner(const Engine& engine, std::span<const InputTensor> images, const BenchmarkOptions& options,
         const ProgressCallback& progress, const std::stop_token& stop)
      : engine_(engine),
        repeated_(repeated(images, static_cast<std::size_t>(options.batches.back()))),
        images_(repeated_.empty() ? images : repeated_),
        options_(options),
        progress_(progress),
        stop_(stop),
        stage_("measuring " + engine.info().name),
        product_(engine.device(), engine.dtype()) {}

  /// `cases` are prepared, the unmerged model first.
  Benchmark run(std::span<const Case> cases) {
    describeEngine();
    const std::int64_t runs =
        static_cast<std::int64_t>(cases.size()) * (options_.warmup + options_.runs);
    for (const int batch : options_.batches) total_ += runs * batch;
    std::int64_t planned = 0;
    for (const int batch : options_.batches) {
      planned += runs * batch;
      try {
        measureBatch(cases, batch);
      } catch (const Cancelled&) {
        if (!finishEarly()) throw;
        break;
      } catch (const Error& error) {
        if (!finishEarly()) throw;
        benchmark_.problem =
            fmt::format("{}, batch size {}: {}", benchmark_.model, batch, error.what());
        break;
      }
      done_ = planned;
    }
    return std::move(benchmark_);
  }

 private:
  void describeEngine() {
    const ModelInfo& info = engine_.info();
    benchmark_.model = info.name;
    benchmark_.architecture = info.architecture;
    benchmark_.input_size = {info.vit.input_height, info.vit.input_width};
    benchmark_.vit = info.vit;
    benchmark_.device = engine_.device();
    benchmark_.dtype = engine_.dtype();
    benchmark_.threads = threadsInUse();
    benchmark_.parameters = info.parameters;
    benchmark_.weight_bytes =
        static_cast<std::uint64_t>(info.parameters) * bytesOf(benchmark_.dtype);
  }

  void measureBatch(std::span<const Case> cases, int batch) {
    batch_begin_ = benchmark_.points.size();
    rounds_ = 0;
    for (const Case& entry : cases) {
      BenchmarkPoint point;
      point.choice = entry.measured.choice;
      point.tier = entry.measured.tier;
      point.batch = batch;
      benchmark_.points.push_back(std::move(point));
    }
    const std::span<BenchmarkPoint> points = std::span(benchmark_.points).subspan(batch_begin_);
    for (std::size_t i = 0; i < points.size(); ++i) warmUp(points[i], cases[i].method);
    double seconds = 0;
    while (rounds_ < options_.runs &&
           seconds < options_.seconds * static_cast<double>(points.size())) {
      benchmark_.product_gflops.push_back(product_.measure());
      // Nobody always runs after the same one.
      const auto shift = static_cast<std::size_t>(rounds_);
      for (std::size_t i = 0; i < points.size(); ++i) {
        const std::size_t turn = (i + shift) % points.size();
        seconds += timedRun(points[turn], cases[turn].method);
      }
      ++rounds_;
    }
  }

  void warmUp(BenchmarkPoint& point, const PreparedMethod& method) {
    releaseFreedMemory();
    point.resident_bytes = residentBytes();
    const bool peak = restartPeak();
    for (int i = 0; i < options_.warmup; ++i) {
      for (const ImageResult& image : run(point, method, i).images) {
        point.calibrated = point.calibrated && image.calibrated;
      }
    }
    if (peak) point.peak_bytes = peakBytes();
  }

  /// Returns the seconds it took.
  double timedRun(BenchmarkPoint& point, const PreparedMethod& method) {
    const Run timed = run(point, method, rounds_);
    Flops mean;
    for (const ImageResult& image : timed.images) {
      mean.paper += image.flops.paper / point.batch;
      mean.total += image.flops.total / point.batch;
    }
    point.milliseconds.push_back(timed.seconds * 1000);
    point.flops.push_back(mean);
    return timed.seconds;
  }

  struct Run {
    std::vector<ImageResult> images;
    double seconds = 0;
  };

  Run run(const BenchmarkPoint& point, const PreparedMethod& method, int round) {
    const auto batch = static_cast<std::size_t>(point.batch);
    const std::size_t first =
        static_cast<std::size_t>(round) * batch % (images_.size() - batch + 1);
    const auto start = std::chrono::steady_clock::now();
    Run done{engine_.run(images_.subspan(first, batch), method, {.trace = false}, stop_)};
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    done.seconds = took.count();
    for (const ImageResult& image : done.images) noteWarnings(image);
    done_ += point.batch;
    if (progress_) progress_({stage_, done_, total_});
    return done;
  }

  void noteWarnings(const ImageResult& image) {
    std::vector<std::string>& known = benchmark_.warnings;
    for (const std::string& warning : image.warnings) {
      if (std::find(known.begin(), known.end(), warning) == known.end()) known.push_back(warning);
    }
  }

  /// Leaves whole rounds. False where there are none.
  bool finishEarly() {
    benchmark_.complete = false;
    if (rounds_ == 0) benchmark_.points.resize(batch_begin_);
    for (std::size_t i = batch_begin_; i < benchmark_.points.size(); ++i) {
      benchmark_.points[i].milliseconds.resize(static_cast<std::size_t>(rounds_));
      benchmark_.points[i].flops.resize(static_cast<std::size_t>(rounds_));
    }
    return !benchmark_.points.empty();
  }

  const Engine& engine_;
  const std::vector<InputTensor> repeated_;
  const std::span<const InputTensor> images_;  ///< as many as the largest batch at least
  const BenchmarkOptions& options_;
  const ProgressCallback& progress_;
  const std::stop_token& stop_;
  const std::string stage_;
  const ProductRate product_;
  Benchmark benchmark_;
  std::size_t batch_begin_ = 0;  ///< of the points of the batch size at hand
  int rounds_ = 0;               ///< done of these
  std::int64_t done_ = 0;        ///< images, of
  std::int64_t total_ = 0;
};

/// Parts of the golden ratio fall evenly between 0 and 1 however many are taken.
double spreadShare(std::size_t index) {
  constexpr double kGolden = 0.618033988749895;
  return std::fmod(static_cast<double>(index) * kGolden, 1.0);
}

InputTensor syntheticImage(const VitConfig& vit, double noise, std::mt19937& random) {
  // The library's distributions differ between its versions; the generator's numbers do not.
  const auto uniform = [&] { return static_cast<double>(random()) / 4294967296.0; };
  InputTensor image{vit.input_height, vit.input_width, {}};
  image.values.reserve(static_cast<std::size_t>(3) * vit.input_height * vit.input_width);
  for (int channel = 0; channel < 3; ++channel) {
    const double turns_down = 2 * uniform();
    const double turns_right = 2 * uniform();
    const double phase = uniform();
    for (int y = 0; y < vit.input_height; ++y) {
      throwIfStopWithin();
      for (int x = 0; x < vit.input_width; ++x) {
        const double turns =
            turns_down * y / vit.input_height + turns_right * x / vit.input_width + phase;
        const double smooth = std::sin(2 * std::numbers::pi * turns);
        image.values.push_back(
            static_cast<float>((1 - noise) * smooth + noise * (2 * uniform() - 1)));
      }
    }
  }
  return image;
}

}  // namespace

Benchmark runBenchmark(const Engine& engine, std::span<const InputTensor> images,
                       std::span<const MeasuredChoice> cases, const BenchmarkOptions& options,
                       const ProgressCallback& progress, const std::stop_token& stop) {
  requireUsable(images, options);
  std::vector<Case> all;
  for (const MeasuredChoice& measured : withUnmerged(cases, engine.info().vit)) {
    all.push_back({measured, engine.prepare(measured.choice, stop)});
  }
  return Runner(engine, images, options, progress, stop).run(all);
}

std::vector<InputTensor> syntheticImages(const VitConfig& vit, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<InputTensor> images;
  for (std::size_t i = 0; i < count; ++i) {
    images.push_back(syntheticImage(vit, spreadShare(i), random));
  }
  return images;
}

}  // namespace adamerge
