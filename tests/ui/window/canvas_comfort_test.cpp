// SPDX-License-Identifier: GPL-3.0-or-later
// Canvases that say what they show: classes, legends, colours, numbers, a menu.
#include <QApplication>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QMenu>
#include <QRegularExpression>
#include <QTimer>
#include <QtTest>

#include "adamerge/figures.h"
#include "bench/overlay_table.h"
#include "canvas/legend.h"
#include "canvas/patch_readout.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

/// Whether `part` stands somewhere in `whole`, where it is opaque.
bool holds(const QImage& whole, const QImage& part) {
  const auto same = [&](int left, int top) {
    for (int y = 0; y < part.height(); ++y) {
      for (int x = 0; x < part.width(); ++x) {
        const QRgb wanted = part.pixel(x, y);
        if (qAlpha(wanted) == 255 && whole.pixel(left + x, top + y) != wanted) return false;
      }
    }
    return true;
  };
  for (int top = 0; top + part.height() <= whole.height(); ++top) {
    for (int left = 0; left + part.width() <= whole.width(); ++left) {
      if (same(left, top)) return true;
    }
  }
  return false;
}

}  // namespace

class CanvasComfortTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge(8));
    fixture_->window().resize(1440, 900);
    QVERIFY(fixture_->settle());
  }
  void cleanupTestCase() { fixture_.reset(); }
  void cleanup() { QVERIFY(fixture_->startAgain()); }

  void everyCanvasNamesItsClass() {
    bench().setPaneCount(2);
    QVERIFY(fixture_->settle());
    for (const int index : {0, 1}) {
      CanvasView& canvas = grid().canvas(index);
      const QString line = classLine(*bench().pane(index).inspection());
      QVERIFY2(line.contains(" %") && line.contains("unmerged"), qPrintable(line));
      const QImage with = canvas.grab().toImage();
      canvas.setClassShown(false);
      QVERIFY(canvas.grab().toImage() != with);
      canvas.setClassShown(true);
      QCOMPARE(canvas.grab().toImage(), with);
    }
  }

  void thePatchUnderThePointerIsMarkedWithinItsGroup() {
    const InspectionPtr shown = fixture_->pane().inspection();
    // Two patches of one group.
    std::vector<int> group;
    for (int patch = 0; group.size() < 2; ++patch) group = shown->groupOf(patch, 7);
    CanvasView& canvas = grid().canvas(0);
    const auto hovered = [&](int patch) {
      bench().view().hover(patch);
      return canvas.grab().toImage();
    };
    const QImage first = hovered(group[0]);
    const QImage second = hovered(group[1]);
    for (const int patch : {group[0], group[1]}) {
      const QRectF place(canvas.mapping().toWidget(shown->patchRect(patch).topLeft()),
                         shown->patchRect(patch).size() * canvas.mapping().scale);
      const QRect inside = place.toAlignedRect().intersected(canvas.rect());
      QVERIFY(first.copy(inside) != second.copy(inside));
    }
  }

  void survivorsAndDifferenceHaveALegendOnTheCanvas() {
    bench().setPaneCount(2);
    QVERIFY(fixture_->settle());
    for (const OverlayKind kind : {OverlayKind::kSurvivors, OverlayKind::kDifference}) {
      fixture_->window().actions().overlay(kind)->trigger();
      const InspectionPtr own = bench().pane(0).inspection();
      const auto legend =
          colorBar(*own, bench().pane(1).inspection(), bench().view().overlay(), 7, 1, nullptr);
      QVERIFY(legend.has_value());
      QCOMPARE(legend->samples.size(),
               kind == OverlayKind::kSurvivors ? std::size_t{3} : std::size_t{1});
      const QImage canvas = grid().canvas(0).grab().toImage();
      for (const ColorBar::Sample& sample : legend->samples) {
        QVERIFY2(holds(canvas, sample.image), qPrintable(sample.label));
      }
      if (kind == OverlayKind::kDifference) {
        const auto otherwise = groupedOtherwise(
            own->result.layers[7].groups, bench().pane(1).inspection()->result.layers[7].groups);
        QVERIFY(otherwise > 0);
        QVERIFY(legend->samples[0].label.startsWith(QString("%1 of 196").arg(otherwise)));
      }
    }
  }

  /// Outlines are what tells groups apart: across every border of two groups of several patches
  /// each, in every block, they differ.
  void neighbouringGroupsAreNeverOfOneColour() {
    OverlayStyle style;
    style.kind = OverlayKind::kGroups;
    style.groups = GroupStyle::kOutline;
    style.opacity = 1;
    bench().view().setOverlay(style);
    CanvasView& canvas = grid().canvas(0);
    canvas.setCaptionVisible(false);
    const InspectionPtr shown = fixture_->pane().inspection();
    const int columns = shown->gridWidth();
    int borders = 0;
    for (const int block : {3, 7, 11}) {
      bench().view().setBlock(block);
      const QImage image = canvas.grab().toImage();
      const auto colorAt = [&](int patch, double dx, double dy) {
        const QRectF rect = shown->patchRect(patch);
        QPointF place = canvas.mapping().toWidget(rect.center());
        // Just inside the border between the two.
        place += QPointF(dx, dy) * (rect.width() * canvas.mapping().scale / 2 - 2.5);
        return image.pixelColor(place.toPoint());
      };
      for (int patch = 0; patch + columns < columns * shown->gridHeight(); ++patch) {
        for (const auto& [next, dx, dy] :
             {std::tuple{patch + 1, 1.0, 0.0}, {patch + columns, 0.0, 1.0}}) {
          if (dx > 0 && next % columns == 0) continue;
          const auto a = shown->groupOf(patch, block);
          const auto b = shown->groupOf(next, block);
          if (a.size() < 2 || b.size() < 2 || a == b) continue;
          ++borders;
          QVERIFY2(
              colorAt(patch, dx, dy) != colorAt(next, -dx, -dy),
              qPrintable(QString("block %1, patches %2 and %3").arg(block).arg(patch).arg(next)));
        }
      }
    }
    canvas.setCaptionVisible(true);
    QVERIFY2(borders > 20, qPrintable(QString::number(borders)));
    bench().view().setBlock(7);
  }

  void ticksOfTheColourBarMakeSense() {
    fixture_->window().actions().overlay(OverlayKind::kSalience)->trigger();
    const std::vector<float>& values = fixture_->pane().inspection()->result.layers[7].salience;
    QVERIFY(!values.empty());
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    auto& box = fixture_->find<QComboBox>("scale");
    for (const auto& scale : salienceScales()) {
      box.setCurrentIndex(box.findData(static_cast<int>(scale.value)));
      QCOMPARE(static_cast<int>(bench().view().overlay().scale), static_cast<int>(scale.value));
      const auto bar = colorBar(*fixture_->pane().inspection(), nullptr, bench().view().overlay(),
                                7, 1, nullptr);
      QVERIFY(bar && bar->ticks.size() >= 2);
      double before = -1;
      for (const ScaleTick& tick : bar->ticks) {
        QVERIFY2(tick.position > before && tick.position <= 1 && !tick.label.empty(), scale.id);
        before = tick.position;
        if (scale.value == SalienceScale::kRank) continue;
        // A number that stands where its value does.
        static const QRegularExpression kNumber("-?[0-9.]+(e-?[0-9]+)?$");
        const auto number = kNumber.match(QString::fromStdString(tick.label));
        QVERIFY2(number.hasMatch(), tick.label.c_str());
        const double value = number.captured().toDouble();
        const double slack = 0.02 * (*most - *least);
        QVERIFY2(value >= *least - slack && value <= *most + slack, tick.label.c_str());
      }
    }
    box.setCurrentIndex(box.findData(static_cast<int>(OverlayStyle().scale)));
  }

  void theRightButtonOpensAMenuOnTheCanvas() {
    CanvasView& canvas = grid().canvas(0);
    QStringList entries;
    QTimer::singleShot(0, this, [&] {
      auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
      if (menu == nullptr) return;
      for (const QAction* action : menu->actions()) {
        if (!action->isSeparator()) entries << action->text().remove('&');
      }
      menu->close();
    });
    QContextMenuEvent event(QContextMenuEvent::Mouse, canvas.rect().center(),
                            canvas.mapToGlobal(canvas.rect().center()));
    QApplication::sendEvent(&canvas, &event);
    const QString all = entries.join('\n');
    for (const QAction* action :
         {fixture_->window().actions().copy_picture, fixture_->window().actions().zoom_fit}) {
      QVERIFY2(entries.contains(action->text().remove('&')), qPrintable(all));
    }
  }

  void patchesShowTheirNumbersOnceTheyAreLarge() {
    fixture_->window().actions().overlay(OverlayKind::kSalience)->trigger();
    CanvasView& canvas = grid().canvas(0);
    const InspectionPtr shown = fixture_->pane().inspection();
    const int patch = shown->gridHeight() / 2 * shown->gridWidth() + shown->gridWidth() / 2;
    // Nearly white on a dark panel at the lower right of the patch.
    const auto inkIn = [&] {
      const QRectF rect = shown->patchRect(patch);
      const QPointF corner = canvas.mapping().toWidget(rect.bottomRight());
      const QImage image =
          canvas.grab(QRect((corner - QPointF(48, 20)).toPoint(), QSize(46, 18))).toImage();
      int ink = 0;
      for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) ink += image.pixelColor(x, y).lightness() > 235;
      }
      return ink;
    };
    QCOMPARE(inkIn(), 0);
    QVERIFY(!patchNumber(*shown, patch, 7, OverlayKind::kSalience, nullptr).isEmpty());
    for (int step = 0; step < 7; ++step) fixture_->window().actions().zoom_in->trigger();
    QVERIFY2(inkIn() > 5, qPrintable(QString::number(inkIn())));
  }

 private:
  Workbench& bench() { return fixture_->workbench(); }
  CompareGrid& grid() { return fixture_->window().stage().grid(); }

  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(CanvasComfortTest)

}  // namespace adamerge::ui::test

#include "canvas_comfort_test.moc"
