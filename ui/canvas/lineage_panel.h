// SPDX-License-Identifier: GPL-3.0-or-later
// The merges that made the selected patch's token, as a dendrogram over the blocks.
#pragma once

#include <QAbstractScrollArea>
#include <QHash>
#include <QPixmap>
#include <QPointer>
#include <optional>
#include <vector>

#include "bench/pane.h"
#include "canvas/lineage.h"
#include "look/widgets.h"

namespace adamerge::ui {

class LineagePanel : public QAbstractScrollArea {
  Q_OBJECT
 public:
  LineagePanel(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  void setPane(Pane& pane);
  /// The tree in words; empty without a selection.
  QString text() const;
  /// What is seen of the leaf of `patch`, in the viewport; empty where it is not in the tree or
  /// scrolled away.
  QRect leafRect(int patch) const;

  QSize sizeHint() const override;

 public slots:
  void copyText() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  bool event(QEvent* event) override;
  bool viewportEvent(QEvent* event) override;

 private:
  void rebuild();
  void relayout();
  void revealRow(int row);
  int rowOf(int patch) const;
  std::optional<int> rowAt(const QPoint& position) const;
  QPixmap thumbnail(int patch);
  QString toolTipOf(const LineageRow& row) const;
  void paintHeader(QPainter& painter);
  void paintRow(QPainter& painter, int row);

  QPointer<Pane> pane_;
  ViewState& view_;
  KeyboardFocus focus_;
  InspectionPtr inspection_;  ///< nullptr: nothing to show
  Lineage lineage_;
  std::vector<LineageRow> rows_;
  LineageLayout layout_;
  QHash<int, QPixmap> thumbnails_;
};

}  // namespace adamerge::ui
