// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/evaluation_task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <thread>

#include "adamerge/error.h"
#include "adamerge/output_lock.h"
#include "compute/background_pace.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTierImages = 32;  ///< as `adamerge evaluate --flops` draws them
constexpr std::chrono::milliseconds kReportInterval(100);

/// Rate and time left, counted from the first report.
class Pace {
 public:
  /// False: too soon after the last report to tell the user.
  bool advance(const Progress& progress) {
    const auto now = Clock::now();
    if (total_ == 0) {
      begin_ = now;
      first_ = progress.done;
    }
    total_ = progress.total;
    done_ = progress.done;
    if (now - told_ < kReportInterval && done_ < total_) return false;
    told_ = now;
    return true;
  }
  double rate() const {
    const double spent = std::chrono::duration<double>(told_ - begin_).count();
    return spent > 0 ? static_cast<double>(done_ - first_) / spent : 0;
  }
  double secondsLeft() const {
    return rate() > 0 ? static_cast<double>(total_ - done_) / rate() : 0;
  }

 private:
  Clock::time_point begin_;
  Clock::time_point told_;
  std::int64_t first_ = 0;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace

struct EvaluationTask::State {
  EvaluationTask* task;
  std::shared_ptr<Mailbox> mailbox;
  EvaluationRequest request;
  bool running = false;
  bool stopping = false;
  std::jthread thread;

  void run(const std::stop_token& stop, const Engine& engine, const EvaluationRequest& wanted);
  EvaluationReportPtr measure(const std::stop_token& stop, const Engine& engine,
                              const EvaluationRequest& wanted);
  std::vector<MeasuredChoice> matched(const Engine& engine, const Dataset& dataset,
                                      const EvaluationRequest& wanted, const std::string& chosen_by,
                                      const std::stop_token& stop);
  void prepare(const QString& what) {
    mailbox->post([this, what] { emit task->preparing(what); });
  }
  /// The last call of a run.
  void end(std::function<void()> tell) {
    mailbox->post([this, tell = std::move(tell)] {
      running = false;
      stopping = false;
      tell();
    });
  }
};

void EvaluationTask::State::run(const std::stop_token& stop, const Engine& engine,
                                const EvaluationRequest& wanted) {
  yieldToOthers();
  try {
    end([this, report = measure(stop, engine, wanted)] { emit task->ended(report); });
  } catch (const Cancelled&) {
    end([this] { emit task->ended(nullptr); });
  } catch (const UnusableState& error) {
    end([this, message = errorText(error)] { emit task->refused(message); });
  } catch (const std::exception& error) {
    end([this, message = errorText(error)] { emit task->failed(message); });
  }
}

EvaluationReportPtr EvaluationTask::State::measure(const std::stop_token& stop,
                                                   const Engine& engine,
                                                   const EvaluationRequest& wanted) {
  const OutputLock lock(wanted.state);
  std::error_code gone_already;
  if (wanted.anew) std::filesystem::remove(wanted.state, gone_already);
  prepare(tr("Looking for images…"));
  const Dataset dataset = Dataset::open(wanted.data, engine.info(), wanted.dataset, stop)
                              .sample(wanted.limit, wanted.seed);
  EvaluationOptions options;
  options.batch = backgroundBatch(engine);
  options.lanes = backgroundLanes(engine);
  options.state = wanted.state;
  std::vector<MeasuredChoice> choices;
  if (wanted.tiers.empty()) {
    choices = countedChoices(wanted);
  } else {
    options.chosen_by = fmt::format("FLOPs of {} G on {} images drawn with seed {}",
                                    fmt::join(wanted.tiers, ", "), kTierImages, wanted.seed);
    choices = matched(engine, dataset, wanted, options.chosen_by, stop);
    for (const MethodChoice& choice : wanted.exact) choices.push_back({choice, std::nullopt});
  }
  options.interim = [&](const Evaluation& evaluation) {
    auto report = makeReport(evaluation, engine.info(), wanted.data, dataset.notes());
    mailbox->post([this, report] { emit task->measured(report); });
  };
  Pace pace;
  const auto progress = [&](const Progress& now) {
    if (!pace.advance(now)) return;
    mailbox->post([this, done = now.done, total = now.total, rate = pace.rate(),
                   left = pace.secondsLeft()] { emit task->progressed(done, total, rate, left); });
  };
  Evaluation evaluation = evaluate(engine, dataset, choices, options, progress, stop);
  if (evaluation.images() == 0) return nullptr;
  return makeReport(std::move(evaluation), engine.info(), wanted.data, dataset.notes());
}

std::vector<MeasuredChoice> EvaluationTask::State::matched(const Engine& engine,
                                                           const Dataset& dataset,
                                                           const EvaluationRequest& wanted,
                                                           const std::string& chosen_by,
                                                           const std::stop_token& stop) {
  const auto before =
      matchedBefore(keptChoices(wanted.state, chosen_by), wanted.methods, wanted.tiers);
  if (before) return *before;
  const std::size_t total = pointCount(wanted) - 1 - wanted.exact.size();
  const auto tell = [&](std::size_t found) {
    prepare(tr("Finding settings for the FLOPs: %1 of %2").arg(found).arg(total));
  };
  std::size_t found = 0;
  tell(found);
  return matchTiers(
      engine, dataset.sample(kTierImages, wanted.seed), wanted.methods, wanted.tiers,
      [&](const TierMatch&) { tell(++found); }, {}, stop);
}

EvaluationTask::EvaluationTask(QObject* parent)
    : QObject(parent), state_(std::make_unique<State>()) {
  state_->task = this;
  state_->mailbox = std::make_shared<Mailbox>(this);
}

EvaluationTask::~EvaluationTask() {
  state_->mailbox->close();
  state_->thread = {};
}

void EvaluationTask::start(std::shared_ptr<const Engine> engine, const EvaluationRequest& request) {
  if (state_->running || engine == nullptr) return;
  state_->request = request;
  state_->running = true;
  state_->thread =
      std::jthread([state = state_.get(), engine = std::move(engine),
                    request](const std::stop_token& stop) { state->run(stop, *engine, request); });
  emit started();
}

void EvaluationTask::stop() {
  if (!state_->running) return;
  state_->stopping = true;
  state_->thread.request_stop();
}

bool EvaluationTask::running() const { return state_->running; }

bool EvaluationTask::stopping() const { return state_->stopping; }

const EvaluationRequest& EvaluationTask::request() const { return state_->request; }

}  // namespace adamerge::ui
