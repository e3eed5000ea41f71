// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "adamerge/calibrate.h"
#include "adamerge/dataset.h"
#include "bench/data.h"
#include "bench/jobs.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kCalibrationKey = "calibration";

/// Tells of progress ten times a second, with the time left.
ProgressCallback reporter(const std::function<void(qint64, qint64, double)>& report) {
  const auto begin = Clock::now();
  return [report, begin, last = Clock::time_point()](const Progress& progress) mutable {
    const auto now = Clock::now();
    if (now - last < std::chrono::milliseconds(100) && progress.done < progress.total) return;
    last = now;
    const double spent = std::chrono::duration<double>(now - begin).count();
    report(progress.done, progress.total,
           spent / static_cast<double>(std::max<std::int64_t>(progress.done, 1)) *
               static_cast<double>(progress.total - progress.done));
  };
}

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
        const Dataset all = Dataset::open(request.folder, engine->info(),
                                          {.unlabelled = true, .training = true}, stop);
        const auto limit = static_cast<std::size_t>(request.limit);
        const Dataset drawn = all.sample(limit, /*seed=*/0);
        QStringList notes;
        ImageSource images(drawn, engine->info().preprocessing, {},
                           [&](const std::string& note) { notes << QString::fromStdString(note); });
        CalibrationOptions options;
        options.r_max = request.r_max;
        options.choice = request.choice;
        options.choice.statistics = nullptr;
        options.source = fmt::format("{}, {} images{}", all.name(), drawn.size(),
                                     drawn.size() < all.size() ? " drawn with seed 0" : "");
        // Short steps, so that a slider moved meanwhile waits little; a GPU wants larger ones.
        options.batch = engine->device() == "cpu" ? 1 : 8;
        Turn turn(worker, kCalibrationKey);
        const auto read = [&](std::size_t first, std::size_t count) {
          std::vector<InputTensor> inputs = images.read(first, count, stop);
          turn.next(stop);
          return inputs;
        };
        const auto report = reporter([&](qint64 done, qint64 total, double left) {
          tell([this, done, total, left] { emit progressed(done, total, left); });
        });
        auto statistics = std::make_shared<const Statistics>(
            calibrate(*engine, read, images.size(), options, report, stop));
        tell([this, statistics, notes, skipped = static_cast<int>(images.skipped())] {
          running_ = false;
          emit finished(statistics, statistics->images, skipped, notes);
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
