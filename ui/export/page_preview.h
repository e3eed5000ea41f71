// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps the preview up to date without ever holding up the window: changes in quick succession are
// drawn once, off the UI thread wherever the source allows it.
#pragma once

#include <QTimer>

#include "export/export_source.h"
#include "export/preview_view.h"
#include "export/task_runner.h"

namespace adamerge::ui {

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
  TaskRunner runner_;
};

}  // namespace adamerge::ui
