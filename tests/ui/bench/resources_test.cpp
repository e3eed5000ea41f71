// SPDX-License-Identifier: GPL-3.0-or-later
// Threads and memory of the workbench.
#include <unistd.h>

#include <QtTest>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "bench_fixture.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using namespace std::chrono_literals;

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

std::size_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class ResourcesTest : public QObject {
  Q_OBJECT

 private slots:
  void noThreadIsLeft() {
    {
      // The kernels' threads and LibTorch's stay once they are there.
      Workbench first;
      QVERIFY(start(first, /*sweeps=*/true));
    }
    QTest::qWait(500);
    const std::size_t before = threads();
    for (int i = 0; i < 3; ++i) {
      Workbench bench;
      QVERIFY(start(bench, /*sweeps=*/true));
      bench.setPaneCount(4);
      bench.calibration().start(bench.engine(),
                                {ADAMERGE_SAMPLES, 500, {4, 8, 16}, choiceOf("adamerge")});
      bench.models().load(bundledModelPath());
      bench.setCompression(0, 60);
      QTest::qWait(20 * i);
      const auto begin = std::chrono::steady_clock::now();
      // Destroyed while everything is under way.
      bench.setTargetFlops(0, 1.0);
      QVERIFY(std::chrono::steady_clock::now() - begin < 20ms);
    }
    QVERIFY2(waitUntil([&] { return threads() <= before; }),
             qPrintable(QString("%1 threads before, %2 after").arg(before).arg(threads())));
  }

  void memoryStaysOverTenThousandMoves() {
    Workbench bench;
    QVERIFY(start(bench));
    for (int value = 0; value < 40; ++value) {
      bench.setCompression(0, value);
      QVERIFY(waitUntil([&] { return bench.settled(); }));
    }
    bench.endEdit();
    const auto move = [&](int count) {
      for (int i = 0; i < count; ++i) {
        bench.setCompression(0, (i * 7) % 40);
        if (i % 100 == 0) QCoreApplication::processEvents();
      }
      bench.endEdit();
    };
    move(1000);
    const std::size_t before = residentBytes();
    move(10'000);
    const std::size_t after = residentBytes();
    const double grown = (static_cast<double>(after) - static_cast<double>(before)) / (1 << 20);
    qInfo("10,000 moves: %.1f MB resident before, %.2f MB more after",
          static_cast<double>(before) / (1 << 20), grown);
#ifndef __SANITIZE_ADDRESS__  // which keeps freed memory for a while
    QVERIFY(grown < 8);
#endif
    QVERIFY(!bench.pane(0).busy());
  }
};

}  // namespace

ADAMERGE_UI_TEST(ResourcesTest)

}  // namespace adamerge::ui::test

#include "resources_test.moc"
