// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/theme.h"

#include <QEvent>
#include <QFile>
#include <QPainter>
#include <QProxyStyle>
#include <QWidget>
#include <QtGlobal>
#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <utility>

#include "adamerge/methods.h"
#include "look/icons.h"

namespace adamerge::ui {
namespace {

double luminance(const QColor& color) {
  const auto linear = [](double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) +
         0.0722 * linear(color.blueF());
}

}  // namespace

int methodPlace(std::string_view method) {
  const auto& all = methods();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const MethodInfo& info) { return info.id == method; });
  return found == all.end() ? -1 : static_cast<int>(found - all.begin()) - 1;
}

QColor paperColor(std::string_view method) {
  constexpr std::array<QRgb, 6> kOkabeIto{0x0072B2, 0xE69F00, 0x009E73,
                                          0xCC79A7, 0xD55E00, 0x56B4E9};
  const int place = methodPlace(method);
  if (place < 0) return QColor(0x80, 0x80, 0x80);
  const auto index = static_cast<std::size_t>(place);
  if (index < kOkabeIto.size()) return QColor(kOkabeIto[index]);
  // Beyond: the golden section spreads hues however many there are, and lightness takes turns, so
  // that neighbours in hue differ too.
  constexpr double kGoldenSection = 0.6180339887498949;
  constexpr double kFirstHue = 0.78;
  constexpr float kSaturation = 0.62F;
  constexpr std::array<float, 3> kLightness{0.36F, 0.58F, 0.47F};
  const std::size_t further = index - kOkabeIto.size();
  const double hue = std::fmod(kFirstHue + kGoldenSection * static_cast<double>(further), 1.0);
  return QColor::fromHslF(static_cast<float>(hue), kSaturation,
                          kLightness[further % kLightness.size()]);
}

double contrastRatio(const QColor& a, const QColor& b) {
  const double of_a = luminance(a);
  const double of_b = luminance(b);
  return (std::max(of_a, of_b) + 0.05) / (std::min(of_a, of_b) + 0.05);
}

QColor legibleOn(const QColor& background, const QColor& color, double contrast) {
  constexpr float kStep = 0.02F;
  const float step = luminance(background) < 0.18 ? kStep : -kStep;
  float hue = 0;
  float saturation = 0;
  float lightness = 0;
  color.getHslF(&hue, &saturation, &lightness);
  QColor legible = color;
  while (contrastRatio(background, legible) < contrast && lightness > 0 && lightness < 1) {
    lightness = std::clamp(lightness + step, 0.0F, 1.0F);
    legible = QColor::fromHslF(hue, saturation, lightness);
  }
  return legible;
}

}  // namespace adamerge::ui

// Q_INIT_RESOURCE declares a function, which has to be outside of any namespace.
static void registerLook() { Q_INIT_RESOURCE(look); }

namespace adamerge::ui {

void loadResources() {
  static std::once_flag once;
  std::call_once(once, registerLook);
}

namespace {

ThemeColors lightColors() {
  ThemeColors colors;
  colors.text = 0x1A1E23;
  colors.muted = 0x545B64;
  colors.disabled = 0x7F868E;
  colors.window = 0xF5F6F8;
  colors.base = 0xFFFFFF;
  colors.raised = 0xFFFFFF;
  colors.hover = 0xE9ECF0;
  colors.pressed = 0xDCE1E7;
  colors.chosen = 0xD3E6F3;
  colors.border = 0xC6CBD2;
  colors.strong_border = 0x858C95;
  colors.track = 0xD5D9DF;
  colors.accent = 0x0072B2;
  colors.on_accent = 0xFFFFFF;
  colors.tip = 0x23282E;
  colors.on_tip = 0xF3F5F7;
  colors.good = 0x00704F;
  colors.warning = 0x8A5200;
  colors.error = 0xAF3600;
  return colors;
}

ThemeColors darkColors() {
  ThemeColors colors;
  colors.text = 0xE6E9ED;
  colors.muted = 0xA5ACB5;
  colors.disabled = 0x7C848D;
  colors.window = 0x1F2227;
  colors.base = 0x16181C;
  colors.raised = 0x2B2F36;
  colors.hover = 0x333840;
  colors.pressed = 0x3D434C;
  colors.chosen = 0x22455C;
  colors.border = 0x41474F;
  colors.strong_border = 0x8A929C;
  colors.track = 0x41474F;
  colors.accent = 0x56B4E9;
  colors.on_accent = 0x0D1216;
  colors.tip = 0x3A4049;
  colors.on_tip = 0xF3F5F7;
  colors.good = 0x35C29A;
  colors.warning = 0xE69F00;
  colors.error = 0xFF8A5C;
  return colors;
}

}  // namespace

const ThemeColors& themeColors(bool dark) {
  static const ThemeColors light = lightColors();
  static const ThemeColors night = darkColors();
  return dark ? night : light;
}

QPalette studioPalette(bool dark) {
  const ThemeColors& colors = themeColors(dark);
  QPalette palette;
  const auto set = [&](QPalette::ColorRole role, const QColor& color) {
    palette.setColor(role, color);
  };
  set(QPalette::Window, colors.window);
  set(QPalette::WindowText, colors.text);
  set(QPalette::Base, colors.base);
  set(QPalette::AlternateBase, colors.window);
  set(QPalette::Text, colors.text);
  set(QPalette::PlaceholderText, colors.muted);
  set(QPalette::Button, colors.raised);
  set(QPalette::ButtonText, colors.text);
  set(QPalette::BrightText, colors.error);
  set(QPalette::ToolTipBase, colors.tip);
  set(QPalette::ToolTipText, colors.on_tip);
  set(QPalette::Highlight, colors.accent);
  set(QPalette::HighlightedText, colors.on_accent);
  set(QPalette::Link, colors.accent);
  set(QPalette::LinkVisited, colors.muted);
  set(QPalette::Light, dark ? colors.pressed : colors.base);
  set(QPalette::Midlight, colors.hover);
  set(QPalette::Mid, colors.border);
  set(QPalette::Dark, colors.strong_border);
  set(QPalette::Shadow, dark ? QColor(0x0A0B0D) : QColor(0x5A6068));
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText,
                          QPalette::PlaceholderText, QPalette::Link}) {
    palette.setColor(QPalette::Disabled, role, colors.disabled);
  }
  palette.setColor(QPalette::Disabled, QPalette::Base, colors.window);
  palette.setColor(QPalette::Disabled, QPalette::Button, colors.window);
  palette.setColor(QPalette::Disabled, QPalette::Highlight, colors.track);
  palette.setColor(QPalette::Disabled, QPalette::HighlightedText, colors.text);
  return palette;
}

bool isDark(const QPalette& palette) {
  return palette.color(QPalette::WindowText).lightness() >
         palette.color(QPalette::Window).lightness();
}

QColor blend(const QColor& ground, const QColor& color, double share) {
  const auto mix = [share](float a, float b) { return static_cast<float>(a + (b - a) * share); };
  return QColor::fromRgbF(mix(ground.redF(), color.redF()), mix(ground.greenF(), color.greenF()),
                          mix(ground.blueF(), color.blueF()));
}

QColor toneColor(Tone tone, bool dark) {
  const ThemeColors& colors = themeColors(dark);
  switch (tone) {
    case Tone::kText:
      return colors.text;
    case Tone::kMuted:
      return colors.muted;
    case Tone::kAccent:
      return colors.accent;
    case Tone::kGood:
      return colors.good;
    case Tone::kWarning:
      return colors.warning;
    case Tone::kError:
      return colors.error;
  }
  return colors.text;
}

QColor methodColor(const std::string& id, bool dark) {
  return legibleOn(themeColors(dark).window, paperColor(id));
}

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
  // Chosen in a list it keeps its colour, on a ring that lets it stand out.
  QPixmap chosen = pixmap;
  QPainter ring(&chosen);
  ring.setRenderHint(QPainter::Antialiasing);
  ring.setPen(QPen(themeColors(isDark()).on_accent, 3));
  ring.drawEllipse(QRectF(5, 5, kSize - 10, kSize - 10));
  ring.end();
  QIcon icon(pixmap);
  icon.addPixmap(chosen, QIcon::Selected);
  return icon;
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
