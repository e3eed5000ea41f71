// SPDX-License-Identifier: GPL-3.0-or-later
#include <QClipboard>
#include <QGuiApplication>
#include <QLabel>
#include <QPushButton>
#include <QtTest>

#include "adamerge/engine.h"
#include "ui_test.h"
#include "window/help.h"

namespace adamerge::ui::test {

class AboutTest : public QObject {
  Q_OBJECT
 private slots:
  void namesVersionsPaperAndLicence() {
    AboutDialog dialog;
    dialog.show();
    QString text;
    for (const auto* label : dialog.findChildren<QLabel*>()) text += label->text() + '\n';
    QVERIFY(text.contains(QString::fromStdString(torchVersion())));
    QVERIFY(text.contains(QString("Qt ") + qVersion()));
    QVERIFY(text.contains("https://arxiv.org/abs/2605.27465"));
    QVERIFY(text.contains("GNU General Public License, version 3 or later"));
    for (auto* button : dialog.findChildren<QPushButton*>()) {
      if (button->text() == "Copy versions") button->click();
    }
    QCOMPARE(QGuiApplication::clipboard()->text(), AboutDialog::versions());
  }

  void explanationsNameTheEquations() {
    QVERIFY(explainSalience().contains("Eq. 1 and 2"));
    QVERIFY(explainSimilarity().contains("Eq. 3"));
    QVERIFY(explainZ().contains("Eq. 5 and 6"));
    QVERIFY(explainPaperFlops().contains("17.447 G"));
  }
};

ADAMERGE_UI_TEST(AboutTest)

}  // namespace adamerge::ui::test

#include "about_test.moc"
