// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/jobs.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "adamerge/error.h"
#include "bench/data.h"

namespace adamerge::ui {

struct Worker::State {
  struct Entry {
    std::string key;
    Urgency urgency;
    std::uint64_t order;
    Job job;
  };
  using Entries = std::list<Entry>;

  std::mutex mutex;
  std::condition_variable_any changed;
  Entries waiting;
  Entries running;  ///< one or none
  std::stop_source interrupt{std::nostopstate};
  bool run_again = false;  ///< the running job was interrupted, not superseded
  std::uint64_t submitted = 0;
  std::jthread thread;

  void run(const std::stop_token& stop);
  /// Moves what waits under `key` to `dropped`; true where the running job is of that key.
  bool drop(const std::string& key, Entries& dropped);
};

void Worker::State::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (changed.wait(lock, stop, [&] { return !waiting.empty(); }) && !stop.stop_requested()) {
    const auto next =
        std::min_element(waiting.begin(), waiting.end(), [](const Entry& a, const Entry& b) {
          return std::tie(a.urgency, a.order) < std::tie(b.urgency, b.order);
        });
    running.splice(running.begin(), waiting, next);
    interrupt = std::stop_source();
    run_again = false;
    const std::stop_token token = interrupt.get_token();
    lock.unlock();
    try {
      running.front().job(token);
    } catch (const Cancelled&) {
    }
    lock.lock();
    Entries finished;
    Entries& target = run_again ? waiting : finished;
    target.splice(target.begin(), running);
    // What a job holds (an engine) may be its last owner's to free: not under the lock.
    lock.unlock();
    finished.clear();
    lock.lock();
  }
}

bool Worker::State::drop(const std::string& key, Entries& dropped) {
  for (auto entry = waiting.begin(); entry != waiting.end();) {
    const auto next = std::next(entry);
    if (entry->key == key) dropped.splice(dropped.end(), waiting, entry);
    entry = next;
  }
  if (running.empty() || running.front().key != key) return false;
  run_again = false;
  return true;
}

Worker::Worker() : state_(std::make_unique<State>()) {
  state_->thread =
      std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

Worker::~Worker() {
  std::stop_source interrupt(std::nostopstate);
  {
    const std::lock_guard lock(state_->mutex);
    state_->run_again = false;
    interrupt = state_->interrupt;
  }
  state_->thread.request_stop();
  interrupt.request_stop();
  state_->thread.join();
}

void Worker::submit(const std::string& key, Urgency urgency, Job job) {
  State::Entries dropped;
  std::stop_source interrupt(std::nostopstate);
  {
    const std::lock_guard lock(state_->mutex);
    const bool superseded = state_->drop(key, dropped);
    const bool preempted =
        !superseded && !state_->running.empty() && urgency < state_->running.front().urgency;
    if (superseded || preempted) interrupt = state_->interrupt;
    // A job that is already asked to stop because it was superseded stays so.
    if (preempted && !interrupt.stop_requested()) state_->run_again = true;
    state_->waiting.push_back({key, urgency, state_->submitted++, std::move(job)});
  }
  interrupt.request_stop();
  state_->changed.notify_one();
}

void Worker::cancel(const std::string& key) {
  State::Entries dropped;
  std::stop_source interrupt(std::nostopstate);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->drop(key, dropped)) interrupt = state_->interrupt;
  }
  interrupt.request_stop();
}

std::shared_ptr<Worker> drawingWorker() {
  static const auto worker = std::make_shared<Worker>();
  return worker;
}

Turn::Turn(std::shared_ptr<Worker> worker, std::string key)
    : worker_(std::move(worker)), key_(std::move(key)), shared_(std::make_shared<Shared>()) {}

Turn::~Turn() { worker_->cancel(key_); }

void Turn::next(const std::stop_token& stop) {
  unsigned turn = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    turn = ++shared_->turn;
    shared_->granted = false;
  }
  shared_->changed.notify_all();
  worker_->submit(key_, Urgency::kBackground,
                  [shared = shared_, turn](const std::stop_token& interrupted) {
                    std::unique_lock lock(shared->mutex);
                    if (shared->turn != turn) return;
                    shared->granted = true;
                    shared->changed.notify_all();
                    shared->changed.wait(lock, interrupted, [&] { return shared->turn != turn; });
                  });
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, stop, [&] { return shared_->granted; });
  throwIfStopped(stop);
}

Jobs::Jobs(QObject* receiver, std::shared_ptr<Worker> worker)
    : desk_(std::make_shared<Desk>()),
      worker_(worker != nullptr ? std::move(worker) : std::make_shared<Worker>()) {
  desk_->receiver = receiver;
}

Jobs::~Jobs() {
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->receiver = nullptr;
  }
  for (const auto& [key, number] : desk_->newest) worker_->cancel(key);
}

void Jobs::run(const std::string& key, Urgency urgency, Work work, Fail failed) {
  const std::uint64_t number = desk_->newest[key] = ++given_;
  const Tell tell = [desk = desk_, key, number](std::function<void()> call) {
    const std::lock_guard lock(desk->mutex);
    if (desk->receiver == nullptr) return;
    QMetaObject::invokeMethod(
        desk->receiver,
        [desk, key, number, call = std::move(call)] {
          const auto newest = desk->newest.find(key);
          if (newest != desk->newest.end() && newest->second == number) call();
        },
        Qt::QueuedConnection);
  };
  worker_->submit(
      key, urgency,
      [work = std::move(work), failed = std::move(failed), tell](const std::stop_token& stop) {
        try {
          work(stop, tell);
        } catch (const Cancelled&) {
          throw;
        } catch (const std::exception& error) {
          if (!failed) return;
          tell([failed, message = errorText(error)] { failed(message); });
        }
      });
}

void Jobs::cancel(const std::string& key) {
  if (desk_->newest.erase(key) > 0) worker_->cancel(key);
}

}  // namespace adamerge::ui
