// SPDX-License-Identifier: GPL-3.0-or-later
// Draws one picture of the thumbnail list: the picture or a placeholder, its name, the mark of the
// one that is open, a warning where the file is broken.
#pragma once

#include <QStyledItemDelegate>

namespace adamerge::ui {

class ThumbnailDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kSide = 96;  ///< of the picture, in logical pixels

  using QStyledItemDelegate::QStyledItemDelegate;

  /// Of one cell.
  static int height(const QFontMetrics& metrics);

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
};

}  // namespace adamerge::ui
