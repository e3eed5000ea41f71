// SPDX-License-Identifier: GPL-3.0-or-later
// Labels that keep their place.
#include <QtTest>
#include <QtWidgets>

#include "look/message.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

class LabelsTest : public QObject {
  Q_OBJECT
 private slots:
  void numbersKeepTheirWidth();
  void longTextIsShortened();
  void noticeSaysWhatItIsTold();
};

void LabelsTest::numbersKeepTheirWidth() {
  NumberLabel label;
  label.setText(QStringLiteral("111.1"));
  const QSize narrow = label.sizeHint();
  label.setText(QStringLiteral("888.8"));
  QCOMPARE(label.sizeHint(), narrow);
  label.setText(QStringLiteral("8888.8"));
  QVERIFY(label.sizeHint().width() > narrow.width());
}

void LabelsTest::longTextIsShortened() {
  const QString name = QStringLiteral("Shih-Tzu, a dog with a name that is much too long for this");
  ElidedLabel label;
  label.setExplanation(QStringLiteral("The most probable class."));
  label.setText(name);
  label.resize(120, 20);
  label.show();
  const QImage image = label.grab().toImage();
  // The ellipsis ends within the label: its last columns are empty, those before are not.
  const QColor ground = image.pixelColor(0, 0);
  int last = 0;
  for (int x = 0; x < image.width(); ++x) {
    for (int y = 0; y < image.height(); ++y) {
      if (image.pixelColor(x, y) != ground) last = x;
    }
  }
  QVERIFY(last > 90 && last < 120);
  const auto tip = [&] {
    QToolTip::hideText();
    QHelpEvent event(QEvent::ToolTip, {5, 5}, label.mapToGlobal(QPoint(5, 5)));
    QApplication::sendEvent(&label, &event);
    return QToolTip::text();
  };
  QCOMPARE(tip(), name + QStringLiteral("\nThe most probable class."));
  label.resize(label.sizeHint().width() + 10, 20);
  QCOMPARE(tip(), QStringLiteral("The most probable class."));
  QToolTip::hideText();
}

void LabelsTest::noticeSaysWhatItIsTold() {
  QWidget window;
  auto* layout = new QVBoxLayout(&window);
  auto* notice = new MessageLine(MessageLine::Buttons::kBelow);
  layout->addWidget(notice);
  window.show();
  QVERIFY(!notice->isVisible());
  int asked = 0;
  notice->show(Severity::kWarning, QStringLiteral("No calibration."),
               {{QStringLiteral("Calibrate…"), [&asked] { ++asked; }}});
  QVERIFY(notice->isVisible());
  QCOMPARE(notice->text(), QStringLiteral("No calibration."));
  QTest::mouseClick(notice->findChild<QPushButton*>(), Qt::LeftButton);
  QCOMPARE(asked, 1);
  notice->clear();
  QVERIFY(!notice->isVisible());
}

}  // namespace

ADAMERGE_UI_TEST(LabelsTest)

}  // namespace adamerge::ui::test

#include "labels_test.moc"
