// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/calibration.h"

#include <fmt/format.h>

#include "adamerge/calibrate.h"
#include "adamerge/dataset.h"
#include "adamerge/evaluate.h"
#include "adamerge/files.h"
#include "adamerge/pace.h"
#include "bench/data.h"
#include "bench/jobs.h"

namespace adamerge::ui {
namespace {

constexpr const char* kCalibrationKey = "calibration";

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
        const OutputLock lock(request.state, "calibration");
        Turn turn(worker, kCalibrationKey);
        turn.next(stop);
        PaceMeter pace;
        pace.add(0, 0);
        const auto report = [&](const Progress& now) {
          turn.next(stop);
          pace.add(now.done, now.total);
          if (!pace.isDue()) return;
          tell([this, done = now.done, total = now.total, rate = pace.perSecond(),
                left = pace.secondsLeft()] { emit progressed(done, total, rate, left); });
        };
        const auto measure = [&] {
          return std::make_shared<const Statistics>(
              calibrate(*engine, images, options, request.state, report, stop));
        };
        std::shared_ptr<const Statistics> statistics;
        try {
          statistics = measure();
        } catch (const UnusableState&) {
          notes << tr("It began anew: what was kept is not of these images and this model");
          std::error_code gone_already;
          std::filesystem::remove(request.state, gone_already);
          statistics = measure();
        }
        const int skipped = static_cast<int>(images.size()) - statistics->images;
        tell([this, statistics, notes, skipped] {
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
