// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_job.h"

#include <chrono>
#include <thread>
#include <utility>

#include "export/batch_runner.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

BatchProgress progressAt(int done, int total, Clock::time_point start, const QString& image) {
  BatchProgress progress{done, total, 0, 0, image};
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (done > 0 && seconds > 0) {
    progress.images_per_second = done / seconds;
    progress.seconds_left = (total - done) / progress.images_per_second;
  }
  return progress;
}

}  // namespace

struct BatchJob::State {
  std::jthread thread;
};

BatchJob::BatchJob(QObject* parent) : QObject(parent), state_(std::make_unique<State>()) {}

BatchJob::~BatchJob() {
  cancel();
  if (state_->thread.joinable()) state_->thread.join();
}

void BatchJob::start(std::shared_ptr<const Engine> engine, BatchPlan plan) {
  if (running_) return;
  running_ = true;
  state_->thread = std::jthread([this, engine = std::move(engine),
                                 plan = std::move(plan)](const std::stop_token& stop) {
    const Clock::time_point start = Clock::now();
    const int total = static_cast<int>(plan.images.size());
    BatchRunner runner(*engine, plan, [&](int done, const QString& image) {
      QMetaObject::invokeMethod(
          this,
          [this, progress = progressAt(done, total, start, image)] { emit progressed(progress); },
          Qt::QueuedConnection);
    });
    const BatchSummary summary = runner.run(stop);
    QMetaObject::invokeMethod(
        this,
        [this, summary] {
          running_ = false;
          emit ended(summary);
        },
        Qt::QueuedConnection);
  });
}

void BatchJob::cancel() { state_->thread.request_stop(); }

}  // namespace adamerge::ui
