// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/calibration_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>
#include <set>
#include <thread>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/image.h"
#include "adamerge/preprocess.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"
#include "compute/turn.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

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

struct CalibrationTask::State {
  CalibrationTask* task;
  std::shared_ptr<Worker> worker;
  std::shared_ptr<Mailbox> mailbox;
  std::uint64_t ticket = 0;
  bool running = false;
  std::jthread thread;

  void run(const std::stop_token& stop, std::uint64_t own, const Engine& engine,
           const CalibrationRequest& request);
  ProgressCallback reporter(std::uint64_t own);
  /// Runs `call` on the UI thread unless the task was cancelled or started anew.
  void deliver(std::uint64_t own, std::function<void()> call);
};

void CalibrationTask::State::deliver(std::uint64_t own, std::function<void()> call) {
  mailbox->post([this, own, call = std::move(call)] {
    if (own == ticket) call();
  });
}

ProgressCallback CalibrationTask::State::reporter(std::uint64_t own) {
  const auto begin = Clock::now();
  return [this, own, begin, last = Clock::time_point()](const Progress& progress) mutable {
    const auto now = Clock::now();
    if (now - last < std::chrono::milliseconds(100) && progress.done < progress.total) return;
    last = now;
    const double spent = std::chrono::duration<double>(now - begin).count();
    const double left = spent / static_cast<double>(std::max<std::int64_t>(progress.done, 1)) *
                        static_cast<double>(progress.total - progress.done);
    deliver(own, [this, done = progress.done, total = progress.total, left] {
      emit task->progressed(done, total, left);
    });
  };
}

void CalibrationTask::State::run(const std::stop_token& stop, std::uint64_t own,
                                 const Engine& engine, const CalibrationRequest& request) {
  try {
    Images images(request, engine.info().preprocessing);
    CalibrationOptions options;
    options.r_max = request.r_max;
    options.choice = request.choice;
    options.choice.statistics = nullptr;
    options.source = images.source(request.folder);
    // Short steps, so that a slider moved meanwhile waits little; a GPU wants larger ones.
    options.batch = engine.device() == "cpu" ? 1 : 8;
    Turn turn(worker, "calibration");
    const auto read = [&](std::size_t first, std::size_t count) {
      std::vector<InputTensor> inputs = images.read(first, count);
      turn.next(stop);
      return inputs;
    };
    auto statistics = std::make_shared<const Statistics>(
        calibrate(engine, read, images.size(), options, reporter(own), stop));
    deliver(own, [this, statistics, skipped = static_cast<int>(images.skipped())] {
      running = false;
      emit task->finished(statistics, statistics->images, skipped);
    });
  } catch (const Cancelled&) {
    // cancel() has said so.
  } catch (const std::exception& error) {
    deliver(own, [this, message = errorText(error)] {
      running = false;
      emit task->failed(message);
    });
  }
}

CalibrationTask::CalibrationTask(std::shared_ptr<Worker> worker, QObject* parent)
    : QObject(parent), state_(std::make_unique<State>()) {
  state_->task = this;
  state_->worker = std::move(worker);
  state_->mailbox = std::make_shared<Mailbox>(this);
}

CalibrationTask::~CalibrationTask() {
  state_->mailbox->close();
  state_->thread = {};
}

void CalibrationTask::start(std::shared_ptr<const Engine> engine,
                            const CalibrationRequest& request) {
  cancel();
  state_->running = true;
  // The thread before may still decode an image: the new one waits for it, not the caller.
  state_->thread = std::jthread([state = state_.get(), own = ++state_->ticket,
                                 before = std::move(state_->thread), engine = std::move(engine),
                                 request](const std::stop_token& stop) mutable {
    before = {};
    state->run(stop, own, *engine, request);
  });
}

void CalibrationTask::cancel() {
  if (!state_->running) return;
  ++state_->ticket;
  state_->running = false;
  state_->thread.request_stop();
  emit cancelled();
}

bool CalibrationTask::running() const { return state_->running; }

}  // namespace adamerge::ui
