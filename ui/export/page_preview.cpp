// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/page_preview.h"

#include <QLocale>
#include <algorithm>
#include <exception>

#include "compute/error_text.h"

namespace adamerge::ui {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr int kDelayMs = 40;

}  // namespace

PagePreview::PagePreview(QWidget* parent) : PreviewView(parent) {
  delay_.setSingleShot(true);
  delay_.setInterval(kDelayMs);
  connect(&delay_, &QTimer::timeout, this, &PagePreview::render);
  connect(this, &PreviewView::resized, this, [this] {
    if (source_ != nullptr) delay_.start();
  });
}

void PagePreview::preview(ExportSourcePtr source, const ExportStyle& style, const QString& reason) {
  source_ = std::move(source);
  style_ = style;
  if (source_ != nullptr) {
    delay_.start();
    return;
  }
  delay_.stop();
  runner_.drop();
  showMessage(reason);
  emit measured({});
}

void PagePreview::render() {
  setStale(true);
  const bool transparent = style_.page.background == Background::kTransparent;
  if (!source_->anyThread()) {
    runner_.drop();
    show(draw(*source_, style_, room()), transparent);
    return;
  }
  runner_.submit([this, source = source_, style = style_, room = room(), transparent] {
    Drawn drawn = draw(*source, style, room);
    return [this, drawn = std::move(drawn), transparent] { show(drawn, transparent); };
  });
}

PagePreview::Drawn PagePreview::draw(const ExportSource& source, const ExportStyle& style,
                                     const QSizeF& room) {
  Drawn drawn;
  try {
    drawn.size = source.size(style);
    const double dpi = kMmPerInch * std::min(room.width() / drawn.size.width(),
                                             room.height() / drawn.size.height());
    drawn.image = source.render(style, dpi);
  } catch (const std::exception& error) {
    drawn = {};
    drawn.problem = errorText(error);
  }
  return drawn;
}

void PagePreview::show(const Drawn& drawn, bool transparent) {
  if (!drawn.problem.isEmpty()) {
    showMessage(drawn.problem);
  } else {
    const QLocale locale;
    showPage(drawn.image, transparent,
             tr("%1 × %2 mm")
                 .arg(locale.toString(drawn.size.width(), 'f', 1),
                      locale.toString(drawn.size.height(), 'f', 1)));
  }
  emit measured(drawn.size);
}

}  // namespace adamerge::ui
