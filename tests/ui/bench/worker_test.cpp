// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "adamerge/error.h"
#include "bench/jobs.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using namespace std::chrono_literals;

/// What ran, in order; waits for it.
class Log {
 public:
  void add(const std::string& entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(entry);
    changed_.notify_all();
  }
  std::vector<std::string> waitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return entries_.size() >= count; });
    return entries_;
  }
  bool contains(const std::string& entry) {
    const std::lock_guard lock(mutex_);
    return std::find(entries_.begin(), entries_.end(), entry) != entries_.end();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> entries_;
};

/// Runs until it is asked to stop, in steps as the engine's blocks are.
Worker::Job endless(Log& log, const std::string& name) {
  return [&log, name](const std::stop_token& stop) {
    log.add(name + " begins");
    while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
    log.add(name + " ends");
    throw Cancelled();
  };
}

Worker::Job note(Log& log, const std::string& name) {
  return [&log, name](const std::stop_token&) { log.add(name); };
}

class WorkerTest : public QObject {
  Q_OBJECT

 private slots:
  void urgentJobsRunFirst() {
    Log log;
    Worker worker;
    std::atomic<bool> go{false};
    // Not interrupted by its equals, so the others queue up behind it.
    worker.submit("first", Urgency::kInteractive, [&](const std::stop_token&) {
      log.add("first");
      while (!go) std::this_thread::sleep_for(1ms);
    });
    log.waitFor(1);
    worker.submit("a", Urgency::kBackground, note(log, "background 1"));
    worker.submit("b", Urgency::kFollowUp, note(log, "follow-up 1"));
    worker.submit("c", Urgency::kBackground, note(log, "background 2"));
    worker.submit("d", Urgency::kInteractive, note(log, "interactive"));
    worker.submit("e", Urgency::kFollowUp, note(log, "follow-up 2"));
    go = true;
    const std::vector<std::string> expected{"first",       "interactive",  "follow-up 1",
                                            "follow-up 2", "background 1", "background 2"};
    QCOMPARE(log.waitFor(6), expected);
  }

  void newestOfAKeyWins() {
    Log log;
    Worker worker;
    worker.submit("key", Urgency::kInteractive, endless(log, "old"));
    log.waitFor(1);
    for (int i = 0; i < 100; ++i) {
      worker.submit("key", Urgency::kInteractive, note(log, "newer " + std::to_string(i)));
    }
    worker.submit("other", Urgency::kBackground, note(log, "last"));
    std::vector<std::string> entries = log.waitFor(4);
    while (!log.contains("last")) entries = log.waitFor(entries.size() + 1);
    QVERIFY(log.contains("newer 99"));
    QVERIFY2(entries.size() < 20, "superseded jobs ran");
    QCOMPARE(entries[1], std::string("old ends"));
  }

  void anInterruptedJobRunsAgain() {
    Log log;
    Worker worker;
    std::atomic<int> runs{0};
    worker.submit("sweep", Urgency::kBackground, [&](const std::stop_token& stop) {
      log.add("sweep begins");
      if (++runs == 1) {
        while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
        throw Cancelled();
      }
      log.add("sweep done");
    });
    log.waitFor(1);
    worker.submit("pane", Urgency::kInteractive, note(log, "pane"));
    const std::vector<std::string> expected{"sweep begins", "pane", "sweep begins", "sweep done"};
    QCOMPARE(log.waitFor(4), expected);
  }

  void aSupersededJobDoesNotRunAgain() {
    Log log;
    Worker worker;
    worker.submit("sweep", Urgency::kBackground, endless(log, "sweep"));
    log.waitFor(1);
    worker.submit("pane", Urgency::kInteractive, note(log, "pane"));
    worker.cancel("sweep");
    worker.submit("end", Urgency::kBackground, note(log, "end"));
    const std::vector<std::string> expected{"sweep begins", "sweep ends", "pane", "end"};
    QCOMPARE(log.waitFor(4), expected);
  }

  void cancelDropsWhatWaits() {
    Log log;
    Worker worker;
    worker.submit("running", Urgency::kInteractive, endless(log, "running"));
    log.waitFor(1);
    worker.submit("waiting", Urgency::kInteractive, note(log, "waiting"));
    worker.cancel("waiting");
    worker.submit("end", Urgency::kBackground, note(log, "end"));
    worker.cancel("running");
    const std::vector<std::string> expected{"running begins", "running ends", "end"};
    QCOMPARE(log.waitFor(3), expected);
  }

  void stepsSubmitTheNextOne() {
    Log log;
    Worker worker;
    std::function<void(int)> step = [&](int left) {
      worker.submit("steps", Urgency::kBackground, [&, left](const std::stop_token&) {
        log.add("step");
        if (left > 1) step(left - 1);
      });
    };
    step(5);
    QCOMPARE(log.waitFor(5).size(), std::size_t{5});
  }

  void destructionStopsTheRunningJobSoon() {
    Log log;
    auto worker = std::make_unique<Worker>();
    worker->submit("running", Urgency::kBackground, endless(log, "running"));
    log.waitFor(1);
    worker->submit("waiting", Urgency::kBackground, note(log, "waiting"));
    const auto begin = std::chrono::steady_clock::now();
    worker.reset();
    QVERIFY(std::chrono::steady_clock::now() - begin < 100ms);
    QVERIFY(log.contains("running ends"));
    QVERIFY(!log.contains("waiting"));
  }

  /// Calibration runs the engine on its own thread: never beside an urgent job that began before,
  /// and an urgent job never waits for it.
  void turnsGiveWayToUrgentJobs() {
    Log log;
    const auto worker = std::make_shared<Worker>();
    std::jthread thread([&](const std::stop_token& stop) {
      Turn turn(worker, "calibration");
      try {
        for (int i = 0; i < 1000; ++i) {
          turn.next(stop);
          if (i == 0) log.add("first turn");
          std::this_thread::sleep_for(1ms);
        }
      } catch (const Cancelled&) {
        log.add("cancelled");
      }
    });
    log.waitFor(1);
    for (int i = 0; i < 20; ++i) {
      const std::size_t before = log.waitFor(0).size();
      const auto begin = std::chrono::steady_clock::now();
      worker->submit("pane", Urgency::kInteractive, note(log, "pane"));
      log.waitFor(before + 1);
      QVERIFY(std::chrono::steady_clock::now() - begin < 100ms);
    }
    worker->submit("pane", Urgency::kInteractive, endless(log, "long"));
    log.waitFor(22);
    thread.request_stop();
    thread.join();
    QVERIFY(log.contains("cancelled"));
    QVERIFY(!log.contains("long ends"));
  }
};

}  // namespace

ADAMERGE_UI_TEST(WorkerTest)

}  // namespace adamerge::ui::test

#include "worker_test.moc"
