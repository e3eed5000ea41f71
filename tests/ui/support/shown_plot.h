// SPDX-License-Identifier: GPL-3.0-or-later
// A plot on screen, and a hand that moves over it.
#pragma once

#include <qcustomplot.h>

#include <QApplication>
#include <QtTest>

#include "plot_fixture.h"
#include "plots/tokens_plot.h"

namespace adamerge::ui::test {

inline PaneResult sample() { return resultOf(0, choiceOf("tome", {{"r", std::int64_t{4}}})); }

/// Tokens of the sample, shown, with block 1 chosen.
struct ShownPlot {
  TokensPlot panel;
  ShownPlot() {
    panel.resize(520, 340);
    panel.show();
    panel.setResults({sample()}, 0, 0, std::nullopt);
    panel.plot();
    QCoreApplication::processEvents();
  }
  QCustomPlot& plot() { return panel.plot(); }
  /// A place over a block, `share` of the axes' height down.
  QPoint at(double block, double share) {
    const QRect rect = plot().axisRect()->rect();
    return {qRound(plot().xAxis->coordToPixel(block)), rect.top() + qRound(share * rect.height())};
  }
  void move(const QPoint& to) {
    QMouseEvent event(QEvent::MouseMove, QPointF(to), plot().mapToGlobal(QPointF(to)), Qt::NoButton,
                      Qt::NoButton, Qt::NoModifier);
    QApplication::sendEvent(&plot(), &event);
  }
  void drag(const QPoint& from, const QPoint& to, Qt::MouseButton button,
            Qt::KeyboardModifiers modifiers = {}) {
    QTest::mousePress(&plot(), button, modifiers, from);
    for (int step = 1; step <= 4; ++step) {
      const QPointF here = from + (to - from) * step / 4.0;
      QMouseEvent event(QEvent::MouseMove, here, plot().mapToGlobal(here), Qt::NoButton, button,
                        modifiers);
      QApplication::sendEvent(&plot(), &event);
    }
    QTest::mouseRelease(&plot(), button, modifiers, to);
  }
};

}  // namespace adamerge::ui::test
