// SPDX-License-Identifier: GPL-3.0-or-later
// Work divided among threads: all of it, once, whoever calls, and whatever happens within.
#include "kernels/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "adamerge/error.h"

namespace adamerge {
namespace {

class Parallel : public testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(3); }
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  int threads_ = at::get_num_threads();
};

/// How often each index was worked on.
std::vector<int> visits(std::int64_t count) {
  std::vector<std::atomic<int>> visited(static_cast<std::size_t>(count));
  parallelFor(count, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) ++visited[static_cast<std::size_t>(i)];
  });
  return {visited.begin(), visited.end()};
}

TEST_F(Parallel, EveryIndexIsWorkedOnOnce) {
  for (const std::int64_t count : {0, 1, 2, 3, 8, 9, 10, 1000}) {
    EXPECT_EQ(visits(count), std::vector<int>(static_cast<std::size_t>(count), 1)) << count;
  }
}

TEST_F(Parallel, ThousandsOfShortPiecesWithAndWithoutPauses) {
  std::atomic<std::int64_t> sum = 0;
  for (int piece = 0; piece < 5000; ++piece) {
    // Long enough, now and then, for the helpers to fall asleep.
    if (piece % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    parallelFor(7, [&](std::int64_t first, std::int64_t last) { sum += last - first; });
  }
  EXPECT_EQ(sum, 5000 * 7);
}

TEST_F(Parallel, AStopEndsTheWorkOfAllThreads) {
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  std::atomic<int> begun = 0;
  {
    const StopWithin stoppable(token);
    EXPECT_EQ(visits(100), std::vector<int>(100, 1));
    const auto work = [&](std::int64_t, std::int64_t) {
      ++begun;
      stop.request_stop();
      for (;;) {
        throwIfStopWithin();
        std::this_thread::yield();
      }
    };
    EXPECT_THROW(parallelFor(100, work), Cancelled);
    EXPECT_LE(begun, 3);  // one part a thread: of the others none was begun
    EXPECT_THROW(visits(1), Cancelled);
  }
  // Neither the caller nor a helper remembers it.
  EXPECT_EQ(visits(100), std::vector<int>(100, 1));
}

TEST_F(Parallel, SeveralCallersAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      at::set_num_threads(3);
      for (int time = 0; time < 200; ++time) wrong += visits(50) != std::vector<int>(50, 1);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Parallel, WithinAPartNothingIsDividedFurther) {
  std::atomic<int> foreign = 0;
  parallelFor(6, [&](std::int64_t, std::int64_t) {
    EXPECT_EQ(at::get_num_threads(), 1);
    const auto self = std::this_thread::get_id();
    parallelFor(5,
                [&](std::int64_t, std::int64_t) { foreign += std::this_thread::get_id() != self; });
  });
  EXPECT_EQ(foreign, 0);
  EXPECT_EQ(at::get_num_threads(), 3);
}

TEST_F(Parallel, WithLibTorchAsideOnlyOurWorkIsDivided) {
  {
    const LibTorchAside aside;
    EXPECT_EQ(at::get_num_threads(), 1);
    EXPECT_EQ(parallelThreads(), 3);
    std::atomic<int> parts = 0;
    parallelFor(100, [&](std::int64_t, std::int64_t) {
      ++parts;
      EXPECT_EQ(parallelThreads(), 1);
    });
    EXPECT_GT(parts, 1);
    EXPECT_EQ(parallelThreads(), 3);
  }
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_EQ(parallelThreads(), 3);
}

TEST_F(Parallel, ThrowsWhatAPartThrowsAndGoesOnServing) {
  EXPECT_THROW(parallelFor(20,
                           [](std::int64_t first, std::int64_t) {
                             if (first >= 10) throw std::runtime_error("part");
                           }),
               std::runtime_error);
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_EQ(visits(20), std::vector<int>(20, 1));
}

}  // namespace
}  // namespace adamerge
