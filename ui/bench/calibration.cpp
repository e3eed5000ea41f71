// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <thread>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/image.h"
#include "adamerge/pace.h"
#include "adamerge/preprocess.h"
#include "bench/data.h"
#include "bench/jobs.h"

namespace adamerge::ui {
namespace {

constexpr const char* kCalibrationKey = "calibration";

/// The folder's images as the network's input; unreadable ones are left out.
class Images {
 public:
  Images(const CalibrationRequest& request, const Preprocessing& preprocessing)
      : preprocessing_(preprocessing) {
    std::vector<std::filesystem::path> all = findImages(request.folder);
    drawn_ = request.limit > 0 && static_cast<std::size_t>(request.limit) < all.size();
    if (drawn_) {
      std::mt19937 random(0);
      std::sample(all.begin(), all.end(), std::back_inserter(paths_), request.limit, random);
    } else {
      paths_ = std::move(all);
    }
  }

  std::vector<InputTensor> read(std::size_t first, std::size_t count) {
    std::vector<InputTensor> inputs;
    for (std::size_t i = first; i < std::min(first + count, paths_.size()); ++i) {
      if (skipped_.contains(i)) continue;
      try {
        inputs.push_back(prepareImage(loadImage(paths_[i]), preprocessing_).input);
      } catch (const Error&) {
        skipped_.insert(i);
      }
    }
    return inputs;
  }

  std::string source(const std::filesystem::path& folder) const {
    return fmt::format("{}, {} images{}", folder.lexically_normal().string(), paths_.size(),
                       drawn_ ? " drawn with seed 0" : "");
  }
  std::size_t size() const { return paths_.size(); }
  std::size_t skipped() const { return skipped_.size(); }

 private:
  Preprocessing preprocessing_;
  std::vector<std::filesystem::path> paths_;
  bool drawn_ = false;
  std::set<std::size_t> skipped_;
};

}  // namespace

CalibrationTask::CalibrationTask(std::shared_ptr<Worker> worker, QObject* parent)
    : QObject(parent), engine_worker_(std::move(worker)) {}

void CalibrationTask::start(std::shared_ptr<const Engine> engine,
                            const CalibrationRequest& request) {
  cancel();
  running_ = true;
  jobs_.run(
      kCalibrationKey, Urgency::kBackground,
      [this, engine = std::move(engine), request, worker = engine_worker_](
          const std::stop_token& stop, const Jobs::Tell& tell) {
        Images images(request, engine->info().preprocessing);
        CalibrationOptions options;
        options.r_max = request.r_max;
        options.choice = request.choice;
        options.choice.statistics = nullptr;
        options.source = images.source(request.folder);
        // Short steps, so that a slider moved meanwhile waits little; a GPU wants larger ones.
        options.batch = engine->device() == "cpu" ? 1 : 8;
        Turn turn(worker, kCalibrationKey);
        const auto read = [&](std::size_t first, std::size_t count) {
          std::vector<InputTensor> inputs = images.read(first, count);
          turn.next(stop);
          return inputs;
        };
        PaceMeter pace;
        pace.add(0, 0);
        const auto report = [&](const Progress& now) {
          pace.add(now.done, now.total);
          if (!pace.isDue()) return;
          tell([this, done = now.done, total = now.total, rate = pace.perSecond(),
                left = pace.secondsLeft()] { emit progressed(done, total, rate, left); });
        };
        auto statistics = std::make_shared<const Statistics>(
            calibrate(*engine, read, images.size(), options, report, stop));
        tell([this, statistics, skipped = static_cast<int>(images.skipped())] {
          running_ = false;
          emit finished(statistics, statistics->images, skipped);
        });
      },
      [this](const QString& message) {
        running_ = false;
        emit failed(message);
      });
}

void CalibrationTask::cancel() {
  if (!running_) return;
  running_ = false;
  jobs_.cancel(kCalibrationKey);
  emit cancelled();
}

}  // namespace adamerge::ui
