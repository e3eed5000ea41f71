// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/icons.h"

#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include "look/theme.h"

namespace adamerge::ui {
namespace {

const QString kFolder = QStringLiteral(":/adamerge/icons/");
const QString kApplication = QStringLiteral("adamerge-studio");

QByteArray readIcon(const QString& name) {
  loadResources();
  QFile file(kFolder + name + QStringLiteral(".svg"));
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

class TintedIconEngine : public QIconEngine {
 public:
  TintedIconEngine(QString name, QByteArray svg, Tone tone)
      : name_(std::move(name)), svg_(std::move(svg)), tone_(tone) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    render(*painter, rect, color(mode));
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override {
    const QColor tint = color(mode);
    const QString key = QStringLiteral("adamerge %1 %2 %3 %4")
                            .arg(name_)
                            .arg(size.width())
                            .arg(size.height())
                            .arg(tint.rgba());
    QPixmap drawn;
    if (QPixmapCache::find(key, &drawn)) return drawn;
    drawn = QPixmap(size);
    drawn.fill(Qt::transparent);
    QPainter painter(&drawn);
    render(painter, drawn.rect(), tint);
    painter.end();
    QPixmapCache::insert(key, drawn);
    return drawn;
  }

  QIconEngine* clone() const override { return new TintedIconEngine(*this); }
  QString iconName() override { return name_; }
  bool isNull() override { return svg_.isEmpty(); }

 private:
  QColor color(QIcon::Mode mode) const {
    const QPalette palette = QGuiApplication::palette();
    if (mode == QIcon::Disabled) return palette.color(QPalette::Disabled, QPalette::ButtonText);
    if (mode == QIcon::Selected) return palette.color(QPalette::HighlightedText);
    if (tone_ == Tone::kText) return palette.color(QPalette::ButtonText);
    return toneColor(tone_, isDark(palette));
  }

  void render(QPainter& painter, const QRect& rect, const QColor& tint) const {
    QByteArray tinted = svg_;
    tinted.replace("currentColor", tint.name().toLatin1());
    QSvgRenderer renderer(tinted);
    const int side = std::min(rect.width(), rect.height());
    QRectF square(0, 0, side, side);
    square.moveCenter(QRectF(rect).center());
    painter.setRenderHint(QPainter::Antialiasing);
    renderer.render(&painter, square);
  }

  QString name_;
  QByteArray svg_;
  Tone tone_;
};

}  // namespace

QIcon icon(const QString& name, Tone tone) {
  QByteArray svg = readIcon(name);
  if (svg.isEmpty()) return {};
  return QIcon(new TintedIconEngine(name, std::move(svg), tone));
}

QIcon applicationIcon() { return icon(kApplication); }

QStringList iconNames() {
  loadResources();
  QStringList names;
  for (const QString& file : QDir(kFolder).entryList({QStringLiteral("*.svg")}, QDir::Files)) {
    const QString name = file.chopped(4);
    if (name != kApplication) names << name;
  }
  names.sort();
  return names;
}

QToolButton* toolButton(const QString& icon_name, const QString& tip, const QString& text) {
  auto* button = new QToolButton;
  button->setIcon(icon(icon_name));
  button->setToolTip(tip);
  button->setAutoRaise(true);
  button->setText(text);
  if (text.isEmpty()) {
    button->setAccessibleName(tip);
  } else {
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  }
  return button;
}

}  // namespace adamerge::ui
