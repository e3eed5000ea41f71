// SPDX-License-Identifier: GPL-3.0-or-later
// The page that will be written, on a desk: in its proportions, with a shadow, over a checkerboard
// where it is transparent; or the sentence that says why there is none.
#pragma once

#include <QImage>
#include <QString>
#include <QTimer>
#include <QWidget>

#include "bench/jobs.h"
#include "export/export_source.h"

namespace adamerge::ui {

class PreviewView : public QWidget {
  Q_OBJECT
 public:
  explicit PreviewView(QWidget* parent = nullptr);

  /// Where a page has to fit, in device pixels.
  QSizeF room() const;
  /// `caption` stands below the page.
  void showPage(const QImage& page, bool transparent, const QString& caption);
  void showMessage(const QString& message);
  /// The page shown is not the newest yet.
  void setStale(bool stale);

  QSize sizeHint() const override { return {520, 420}; }
  QSize minimumSizeHint() const override { return {240, 200}; }

 signals:
  void resized();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  QRect desk() const;
  void paintPage(QPainter& painter) const;

  QImage page_;
  QString caption_;
  QString message_;
  bool transparent_ = false;
  bool stale_ = false;
};

// Keeps the preview up to date without ever holding up the window: changes in quick succession are
// drawn once, off the UI thread wherever the source allows it.

class PagePreview : public PreviewView {
  Q_OBJECT
 public:
  explicit PagePreview(QWidget* parent = nullptr);

  /// nullptr: `reason` is shown instead.
  void preview(ExportSourcePtr source, const ExportStyle& style, const QString& reason);

 signals:
  /// The page's size on paper, in mm; empty where it cannot be drawn.
  void measured(const QSizeF& size);

 private:
  struct Drawn {
    QImage image;
    QSizeF size;
    QString problem;
  };
  static Drawn draw(const ExportSource& source, const ExportStyle& style, const QSizeF& room);

  void render();
  void show(const Drawn& drawn, bool transparent);

  ExportSourcePtr source_;
  ExportStyle style_;
  QTimer delay_;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
