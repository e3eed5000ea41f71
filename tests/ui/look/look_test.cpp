// SPDX-License-Identifier: GPL-3.0-or-later
// Palettes, style sheet and icons in both themes.
#include <QtTest>
#include <QtWidgets>

#include "adamerge/methods.h"
#include "look/icons.h"
#include "look/theme.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

constexpr double kReadable = 4.5;  // WCAG 2, AA
constexpr double kVisible = 3;     // of shapes, and of text that is switched off

int inkOf(const QImage& image) {
  int ink = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) ink += qAlpha(image.pixel(x, y)) > 127 ? 1 : 0;
  }
  return ink;
}

/// The colour of the most opaque pixel.
QColor tintOf(const QImage& image) {
  QColor found;
  int most = -1;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      const QColor color = image.pixelColor(x, y);
      if (color.alpha() > most) {
        most = color.alpha();
        found = color;
      }
    }
  }
  return found.rgb();
}

QImage drawn(const QIcon& icon, int size, QIcon::Mode mode = QIcon::Normal) {
  return icon.pixmap(QSize(size, size), 1.0, mode).toImage();
}

bool near(const QColor& a, const QColor& b) {
  return std::abs(a.red() - b.red()) <= 2 && std::abs(a.green() - b.green()) <= 2 &&
         std::abs(a.blue() - b.blue()) <= 2;
}

class LookTest : public QObject {
  Q_OBJECT
 private slots:
  void textIsReadable_data();
  void textIsReadable();
  void switchedOffTextIsLegible_data() { textIsReadable_data(); }
  void switchedOffTextIsLegible();
  void tonesAreReadable_data() { textIsReadable_data(); }
  void tonesAreReadable();
  void contrastIsWcags();
  void methodsHaveColorsOfTheirOwn();
  void everyIconFileLoads();
  void iconsTakeTheColorOfText();
  void iconsFollowTheTheme();
  void iconsAreSharpOnFineScreens();
  void unknownIconsAreNull();
  void applicationIconIsNotTinted();
  void themeReachesWidgets();
  void focusIsSeen();
  void cleanupTestCase() { applyTheme(*qApp, Theme::kLight); }
};

void LookTest::textIsReadable_data() {
  QTest::addColumn<bool>("dark");
  QTest::newRow("light") << false;
  QTest::newRow("dark") << true;
}

void LookTest::textIsReadable() {
  QFETCH(bool, dark);
  const QPalette palette = studioPalette(dark);
  using Role = QPalette::ColorRole;
  const std::vector<std::pair<Role, Role>> pairs{{QPalette::WindowText, QPalette::Window},
                                                 {QPalette::Text, QPalette::Base},
                                                 {QPalette::Text, QPalette::AlternateBase},
                                                 {QPalette::ButtonText, QPalette::Button},
                                                 {QPalette::PlaceholderText, QPalette::Base},
                                                 {QPalette::PlaceholderText, QPalette::Window},
                                                 {QPalette::ToolTipText, QPalette::ToolTipBase},
                                                 {QPalette::Link, QPalette::Base},
                                                 {QPalette::HighlightedText, QPalette::Highlight}};
  for (const auto group : {QPalette::Active, QPalette::Inactive}) {
    for (const auto& [text, ground] : pairs) {
      const double ratio = contrastRatio(palette.color(group, text), palette.color(group, ground));
      QVERIFY2(ratio >= kReadable,
               qPrintable(QStringLiteral("%1 on %2: %3").arg(text).arg(ground).arg(ratio)));
    }
  }
  const ThemeColors& colors = themeColors(dark);
  for (const QColor& ground : {colors.hover, colors.pressed, colors.chosen, colors.raised}) {
    QVERIFY2(contrastRatio(colors.text, ground) >= kReadable, qPrintable(ground.name()));
  }
  QVERIFY(contrastRatio(colors.on_tip, colors.tip) >= kReadable);
  // Check boxes and the focus ring are shapes without text.
  QVERIFY(contrastRatio(colors.strong_border, colors.window) >= kVisible);
  QVERIFY(contrastRatio(colors.accent, colors.window) >= kVisible);
}

void LookTest::switchedOffTextIsLegible() {
  QFETCH(bool, dark);
  const QPalette palette = studioPalette(dark);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    const QColor text = palette.color(QPalette::Disabled, role);
    for (const auto ground : {QPalette::Window, QPalette::Base, QPalette::Button}) {
      QVERIFY(contrastRatio(text, palette.color(QPalette::Disabled, ground)) >= kVisible);
    }
    QVERIFY(text != palette.color(QPalette::Active, role));
  }
}

void LookTest::tonesAreReadable() {
  QFETCH(bool, dark);
  const ThemeColors& colors = themeColors(dark);
  for (const Tone tone : {Tone::kText, Tone::kMuted, Tone::kGood, Tone::kWarning, Tone::kError}) {
    QVERIFY(contrastRatio(toneColor(tone, dark), colors.window) >= kReadable);
    QVERIFY(contrastRatio(toneColor(tone, dark), colors.base) >= kReadable);
  }
}

void LookTest::contrastIsWcags() {
  QCOMPARE(contrastRatio(Qt::black, Qt::white), 21.0);
  QCOMPARE(contrastRatio(Qt::white, Qt::black), 21.0);
  QCOMPARE(contrastRatio(Qt::red, Qt::red), 1.0);
  QVERIFY(qAbs(contrastRatio(QColor(0x76, 0x76, 0x76), Qt::white) - 4.54) < 0.01);
}

void LookTest::methodsHaveColorsOfTheirOwn() {
  for (const bool dark : {false, true}) {
    QSet<QRgb> seen;
    for (const MethodInfo& method : methods()) {
      const QColor color = methodColor(method.id, dark);
      QVERIFY2(!seen.contains(color.rgb()), method.id.c_str());
      QVERIFY(contrastRatio(color, themeColors(dark).base) >= 2);
      seen.insert(color.rgb());
    }
  }
  QCOMPARE(methodColor("adamerge", false), QColor(0x00, 0x72, 0xB2));
}

void LookTest::everyIconFileLoads() {
  const QStringList names = iconNames();
  QDir folder(QStringLiteral(ADAMERGE_SAMPLES "/../icons"));
  const QStringList files = folder.entryList({QStringLiteral("*.svg")}, QDir::Files);
  QVERIFY(files.size() > 35);
  for (const QString& file : files) {
    const QString name = file.chopped(4);
    if (name != QStringLiteral("adamerge-studio")) {
      QVERIFY2(names.contains(name), qPrintable(name + QStringLiteral(" is not embedded")));
    }
    const QImage image = drawn(icon(name), 16);
    QCOMPARE(image.size(), QSize(16, 16));
    const int ink = inkOf(image);
    QVERIFY2(ink >= 8, qPrintable(QStringLiteral("%1 has %2 pixels").arg(name).arg(ink)));
  }
}

void LookTest::iconsTakeTheColorOfText() {
  for (const bool dark : {false, true}) {
    applyTheme(*qApp, dark ? Theme::kDark : Theme::kLight);
    const ThemeColors& colors = themeColors(dark);
    for (const QString& name : iconNames()) {
      QVERIFY2(near(tintOf(drawn(icon(name), 48)), colors.text), qPrintable(name));
      QVERIFY2(near(tintOf(drawn(icon(name), 48, QIcon::Disabled)), colors.disabled),
               qPrintable(name));
    }
    const QIcon warning = icon(QStringLiteral("warning"), Tone::kWarning);
    QVERIFY(near(tintOf(drawn(warning, 48)), colors.warning));
  }
}

void LookTest::iconsFollowTheTheme() {
  applyTheme(*qApp, Theme::kLight);
  QToolButton button;
  button.setIcon(icon(QStringLiteral("compare-1")));
  button.setIconSize({24, 24});
  button.resize(40, 40);
  const auto darkest = [&] {
    const QImage image = button.grab().toImage();
    int least = 255;
    int most = 0;
    for (int x = 8; x < 32; ++x) {
      const int lightness = image.pixelColor(x, 20).lightness();
      least = std::min(least, lightness);
      most = std::max(most, lightness);
    }
    return std::pair(least, most);
  };
  QVERIFY(darkest().first < 60);
  applyTheme(*qApp, Theme::kDark);
  QVERIFY(darkest().second > 200);
}

void LookTest::iconsAreSharpOnFineScreens() {
  const QPixmap fine = icon(QStringLiteral("open")).pixmap(QSize(24, 24), 2.0);
  QCOMPARE(fine.size(), QSize(48, 48));
  QCOMPARE(fine.devicePixelRatio(), 2.0);
  QCOMPARE(fine.deviceIndependentSize(), QSizeF(24, 24));
}

void LookTest::unknownIconsAreNull() { QVERIFY(icon(QStringLiteral("no-such-icon")).isNull()); }

void LookTest::applicationIconIsNotTinted() {
  const QImage image = drawn(applicationIcon(), 16);
  // The merged token and two of the others, at the smallest size.
  QCOMPARE(image.pixelColor(11, 11), QColor(0xE6, 0x9F, 0x00));
  QCOMPARE(image.pixelColor(8, 2), QColor(0xF2, 0xF7, 0xFB));
  QVERIFY(image.pixelColor(2, 8).blue() > 200);
}

void LookTest::themeReachesWidgets() {
  QWidget window;
  auto* line = new QLineEdit(QStringLiteral("text"), &window);
  line->setGeometry(10, 10, 100, 28);
  window.resize(120, 48);
  const auto ground = [&](const QPoint& at) { return window.grab().toImage().pixelColor(at); };
  applyTheme(*qApp, Theme::kDark);
  QVERIFY(isDark());
  QCOMPARE(ground({2, 2}), themeColors(true).window);
  QCOMPARE(ground({100, 24}), themeColors(true).base);
  applyTheme(*qApp, Theme::kLight);
  QVERIFY(!isDark());
  QCOMPARE(ground({2, 2}), themeColors(false).window);
  QCOMPARE(ground({100, 24}), themeColors(false).base);
  applyTheme(*qApp, Theme::kSystem);  // offscreen's own palette is light
  QVERIFY(!isDark());
}

void LookTest::focusIsSeen() {
  applyTheme(*qApp, Theme::kLight);
  QWidget window;
  auto* layout = new QVBoxLayout(&window);
  QVector<QWidget*> controls{new QPushButton(QStringLiteral("Button")),
                             new QToolButton,
                             new QLineEdit,
                             new QSpinBox,
                             new QComboBox,
                             new QCheckBox(QStringLiteral("Check"))};
  controls[1]->setFocusPolicy(Qt::StrongFocus);
  for (QWidget* control : controls) layout->addWidget(control, 0, Qt::AlignLeft);
  window.show();
  window.activateWindow();
  QVERIFY(QTest::qWaitForWindowActive(&window));
  for (QWidget* control : controls) {
    control->setFocus(Qt::TabFocusReason);
    const QImage image = control->grab().toImage();
    QVERIFY2(near(image.pixelColor(0, image.height() / 2), themeColors(false).accent),
             control->metaObject()->className());
  }
}

}  // namespace

ADAMERGE_UI_TEST(LookTest)

}  // namespace adamerge::ui::test

#include "look_test.moc"
