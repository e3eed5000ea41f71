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
  void anIslandTellsOnlyOfOtherSizes();
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

/// Counts how often a widget is asked to lay itself out.
class LayoutRequests : public QObject {
 public:
  explicit LayoutRequests(QWidget& watched) { watched.installEventFilter(this); }
  int take() {
    // Each widget on the way up asks its parent in the next round.
    for (int round = 0; round < 5; ++round) QCoreApplication::sendPostedEvents();
    return std::exchange(count_, 0);
  }

 protected:
  bool eventFilter(QObject* /*watched*/, QEvent* event) override {
    count_ += event->type() == QEvent::LayoutRequest;
    return false;
  }

 private:
  int count_ = 0;
};

void LabelsTest::anIslandTellsOnlyOfOtherSizes() {
  QWidget window;
  auto* around = new QVBoxLayout(&window);
  auto* content = new QWidget;
  auto* inside = new QVBoxLayout(content);
  auto* number = new NumberLabel;
  number->setText(QStringLiteral("111"));
  inside->addWidget(number);
  auto* island = new LayoutIsland(content);
  around->addWidget(island);
  window.show();
  LayoutRequests requests(window);
  requests.take();
  QCOMPARE(content->size(), island->size());
  number->setText(QStringLiteral("888"));
  QCOMPARE(requests.take(), 0);
  number->setText(QStringLiteral("a number that takes much more room than the one before"));
  QVERIFY(requests.take() > 0);
  QVERIFY(number->width() >= number->sizeHint().width());
  QCOMPARE(content->size(), island->size());
  // While hidden it takes another size, too.
  window.hide();
  number->setText(QStringLiteral("1"));
  const QSize narrow = content->sizeHint();
  window.show();
  QCOMPARE(island->sizeHint(), narrow);
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
