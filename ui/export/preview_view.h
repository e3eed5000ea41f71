// SPDX-License-Identifier: GPL-3.0-or-later
// The page that will be written, on a desk: in its proportions, with a shadow, over a checkerboard
// where it is transparent; or the sentence that says why there is none.
#pragma once

#include <QImage>
#include <QString>
#include <QWidget>

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

}  // namespace adamerge::ui
