// SPDX-License-Identifier: GPL-3.0-or-later
// The overlay form drives the view, and follows it.
#include "settings/overlay_form.h"

#include <QtTest>
#include <QtWidgets>

#include "bench/overlay_table.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

struct ShownOverlays {
  ViewState view;
  OverlayForm form{view};
  ShownOverlays() {
    form.resize(280, 400);
    form.show();
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    return form.findChild<Widget*>(QString::fromLatin1(name));
  }
};

class OverlayFormTest : public QObject {
  Q_OBJECT
 private slots:
  void clickChoosesTheKind();
  void tooltipsTellKeyAndMeaning();
  void optionsAreThoseOfTheKind();
  void optionsReachTheView();
  void formFollowsTheView();
  void nothingMovesBetweenKinds();
  void swatchesShowTheColourMaps();
};

void OverlayFormTest::clickChoosesTheKind() {
  ShownOverlays shown;
  for (const OverlayInfo& kind : overlays()) {
    auto* button = shown.form.findChild<QToolButton*>(kind.icon);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(shown.view.overlay().kind, kind.value);
    int checked = 0;
    for (auto* other : shown.form.findChildren<QToolButton*>()) checked += other->isChecked();
    QCOMPARE(checked, 1);
    QVERIFY(button->isChecked());
    bool titled = false;
    for (auto* label : shown.form.findChildren<QLabel*>()) titled |= label->text() == kind.label;
    QVERIFY(titled);
  }
}

void OverlayFormTest::tooltipsTellKeyAndMeaning() {
  ShownOverlays shown;
  QSet<QString> keys;
  for (const OverlayInfo& kind : overlays()) {
    const QString tip = shown.form.findChild<QToolButton*>(kind.icon)->toolTip();
    QVERIFY(tip.contains(kind.help.toHtmlEscaped()));
    QVERIFY(tip.contains(QLatin1Char('(') + kind.key.toString() + QLatin1Char(')')));
    keys.insert(kind.key.toString());
  }
  QCOMPARE(keys.size(), static_cast<qsizetype>(overlays().size()));
  QVERIFY(shown.find<QToolButton>("overlay-salience")->toolTip().contains(QStringLiteral("Eq. 1")));
}

void OverlayFormTest::optionsAreThoseOfTheKind() {
  ShownOverlays shown;
  const auto visible = [&](const char* name) { return shown.find<QWidget>(name)->isVisible(); };
  const auto choose = [&](OverlayKind kind) {
    OverlayStyle style = shown.view.overlay();
    style.kind = kind;
    shown.view.setOverlay(style);
  };
  for (const OverlayKind kind : {OverlayKind::kSalience, OverlayKind::kAttention}) {
    choose(kind);
    QVERIFY(visible("colormap") && visible("scale") && visible("smooth"));
    QVERIFY(!visible("group-style"));
  }
  choose(OverlayKind::kGroups);
  QVERIFY(visible("group-style") && !visible("colormap") && !visible("smooth"));
  for (const OverlayKind kind : {OverlayKind::kSurvivors, OverlayKind::kDifference}) {
    choose(kind);
    QVERIFY(!visible("group-style") && !visible("colormap"));
    QVERIFY(shown.find<QSlider>("opacity")->isEnabled());
  }
  choose(OverlayKind::kNone);
  QVERIFY(!shown.find<QSlider>("opacity")->isEnabled());
  QVERIFY(visible("dim-outside"));
}

void OverlayFormTest::optionsReachTheView() {
  ShownOverlays shown;
  QTest::mouseClick(shown.find<QToolButton>("overlay-salience"), Qt::LeftButton);
  auto* opacity = shown.find<QSlider>("opacity");
  opacity->setFocus();
  const double before = shown.view.overlay().opacity;
  QTest::keyClick(opacity, Qt::Key_PageDown);
  QCOMPARE(shown.view.overlay().opacity, before - 0.1);
  QTest::keyClick(shown.find<QComboBox>("colormap"), Qt::Key_Down);
  QCOMPARE(shown.view.overlay().colormap, Colormap::kMagma);
  QTest::keyClick(shown.find<QComboBox>("scale"), Qt::Key_Down);
  QCOMPARE(shown.view.overlay().scale, SalienceScale::kRank);
  QTest::keyClick(shown.find<QCheckBox>("smooth"), Qt::Key_Space);
  QVERIFY(shown.view.overlay().smooth);
  QTest::keyClick(shown.find<QCheckBox>("dim-outside"), Qt::Key_Space);
  QVERIFY(!shown.view.overlay().dim_outside);
  QTest::mouseClick(shown.find<QToolButton>("overlay-groups"), Qt::LeftButton);
  QTest::keyClick(shown.find<QComboBox>("group-style"), Qt::Key_Up);
  QCOMPARE(shown.view.overlay().groups, GroupStyle::kOutline);
}

void OverlayFormTest::formFollowsTheView() {
  ShownOverlays shown;
  OverlayStyle style;
  style.kind = OverlayKind::kAttention;
  style.opacity = 0.3;
  style.colormap = Colormap::kTurbo;
  style.scale = SalienceScale::kLogarithmic;
  style.smooth = true;
  style.groups = GroupStyle::kFill;
  style.dim_outside = false;
  QSignalSpy changes(&shown.view, &ViewState::overlayChanged);
  shown.view.setOverlay(style);
  QCOMPARE(changes.size(), 1);  // the form does not answer
  QVERIFY(shown.view.overlay() == style);
  QCOMPARE(shown.find<QSlider>("opacity")->value(), 30);
  QCOMPARE(shown.find<QComboBox>("colormap")->currentText(), QStringLiteral("Turbo"));
  QCOMPARE(shown.find<QComboBox>("scale")->currentText(), QStringLiteral("Logarithmic"));
  QVERIFY(shown.find<QCheckBox>("smooth")->isChecked());
  QVERIFY(!shown.find<QCheckBox>("dim-outside")->isChecked());
  QVERIFY(shown.find<QToolButton>("overlay-attention")->isChecked());
  QCOMPARE(shown.find<QComboBox>("group-style")->currentText(), QStringLiteral("Mean colour"));
}

void OverlayFormTest::nothingMovesBetweenKinds() {
  ShownOverlays shown;
  QSet<int> places;
  QSet<int> heights;
  for (const OverlayInfo& kind : overlays()) {
    QTest::mouseClick(shown.form.findChild<QToolButton*>(kind.icon), Qt::LeftButton);
    QCoreApplication::processEvents();
    places.insert(shown.find<QWidget>("opacity")->mapTo(&shown.form, QPoint()).y());
    heights.insert(shown.form.sizeHint().height());
  }
  QCOMPARE(places.size(), 1);
  QCOMPARE(heights.size(), 1);
  QVERIFY(shown.form.minimumSizeHint().width() <= 280);
}

void OverlayFormTest::swatchesShowTheColourMaps() {
  ShownOverlays shown;
  auto* combo = shown.find<QComboBox>("colormap");
  for (int i = 0; i < combo->count(); ++i) {
    const auto map = static_cast<Colormap>(combo->itemData(i).toInt());
    const QImage image = combo->itemIcon(i).pixmap(combo->iconSize(), 2.0).toImage();
    const auto first = colormapColor(map, 0);
    const auto last = colormapColor(map, 1);
    QCOMPARE(image.pixelColor(0, 4), QColor(first[0], first[1], first[2]));
    QCOMPARE(image.pixelColor(image.width() - 1, 4), QColor(last[0], last[1], last[2]));
  }
}

}  // namespace

ADAMERGE_UI_TEST(OverlayFormTest)

}  // namespace adamerge::ui::test

#include "overlay_form_test.moc"
