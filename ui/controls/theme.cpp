// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/theme.h"

#include <QEvent>
#include <QFile>
#include <QPainter>
#include <QProxyStyle>
#include <QWidget>
#include <array>
#include <utility>

#include "controls/resources.h"

namespace adamerge::ui {
namespace {

class StudioStyle : public QProxyStyle {
 public:
  StudioStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* data) const override {
    switch (hint) {
      case SH_Slider_AbsoluteSetButtons:
        return Qt::LeftButton;  // a click takes the handle there, as in image programs
      case SH_EtchDisabledText:
      case SH_DitherDisabledText:
        return 0;
      case SH_ToolTip_WakeUpDelay:
        return 500;
      default:
        return QProxyStyle::styleHint(hint, option, widget, data);
    }
  }
};

QString styleSheet(bool dark) {
  QFile file(QStringLiteral(":/adamerge/studio.qss"));
  if (!file.open(QIODevice::ReadOnly)) return {};
  QString sheet = QString::fromUtf8(file.readAll());
  const ThemeColors& colors = themeColors(dark);
  const std::array<std::pair<const char*, QColor>, 17> names{{{"@text@", colors.text},
                                                              {"@muted@", colors.muted},
                                                              {"@disabled@", colors.disabled},
                                                              {"@window@", colors.window},
                                                              {"@base@", colors.base},
                                                              {"@raised@", colors.raised},
                                                              {"@hover@", colors.hover},
                                                              {"@pressed@", colors.pressed},
                                                              {"@chosen@", colors.chosen},
                                                              {"@border@", colors.border},
                                                              {"@strong@", colors.strong_border},
                                                              {"@track@", colors.track},
                                                              {"@accent@", colors.accent},
                                                              {"@on-accent@", colors.on_accent},
                                                              {"@tip@", colors.tip},
                                                              {"@on-tip@", colors.on_tip},
                                                              {"@error@", colors.error}}};
  for (const auto& [name, color] : names) sheet.replace(QLatin1String(name), color.name());
  sheet.replace(QLatin1String("@theme@"), QLatin1String(dark ? "dark" : "light"));
  return sheet;
}

/// Looks for changes of the desktop's theme.
class ThemeKeeper : public QObject {
 public:
  explicit ThemeKeeper(QApplication& application)
      : QObject(&application), application_(application) {
    application.installEventFilter(this);
  }

  void apply(Theme theme) {
    theme_ = theme;
    applying_ = true;
    const bool dark = theme == Theme::kSystem ? systemIsDark() : theme == Theme::kDark;
    QApplication::setPalette(studioPalette(dark));
    application_.setStyleSheet(styleSheet(dark));
    applying_ = false;
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() == QEvent::ThemeChange && theme_ == Theme::kSystem && !applying_ &&
        systemIsDark() != isDark()) {
      apply(theme_);
    }
    return QObject::eventFilter(watched, event);
  }

 private:
  /// What the desktop would give a program without a palette of its own.
  static bool systemIsDark() {
    const QPalette own = QApplication::palette();
    QApplication::setPalette(QPalette());
    const bool dark = isDark(QApplication::palette());
    QApplication::setPalette(own);
    return dark;
  }

  QApplication& application_;
  Theme theme_ = Theme::kSystem;
  bool applying_ = false;
};

}  // namespace

void applyTheme(QApplication& application, Theme theme) {
  loadResources();
  static ThemeKeeper* keeper = nullptr;
  if (keeper == nullptr) {
    QApplication::setStyle(new StudioStyle);
    QApplication::setWindowIcon(applicationIcon());
    keeper = new ThemeKeeper(application);
    QObject::connect(keeper, &QObject::destroyed, [] { keeper = nullptr; });
  }
  keeper->apply(theme);
}

bool isDark() { return isDark(QApplication::palette()); }

QColor toneColor(Tone tone) { return toneColor(tone, isDark()); }

QColor methodColor(const std::string& id) { return methodColor(id, isDark()); }

QIcon methodSwatch(const std::string& id) {
  constexpr int kSize = 32;
  QPixmap pixmap(kSize, kSize);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(methodColor(id));
  painter.drawEllipse(QRectF(6, 6, kSize - 12, kSize - 12));
  painter.end();
  return pixmap;
}

QFont smallFont() {
  QFont font = QApplication::font();
  font.setPointSizeF(font.pointSizeF() * 0.9);
  return font;
}

QFont headingFont() {
  QFont font = QApplication::font();
  font.setWeight(QFont::DemiBold);
  return font;
}

void makeCaption(QWidget& label) {
  label.setFont(smallFont());
  label.setForegroundRole(QPalette::PlaceholderText);
}

}  // namespace adamerge::ui
