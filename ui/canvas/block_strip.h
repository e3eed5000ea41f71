// SPDX-License-Identifier: GPL-3.0-or-later
// The row of small pictures inside the block strip: one tile per block, with its number and the
// tokens it leaves.
#pragma once

#include <QPointer>
#include <QTimer>
#include <QToolButton>
#include <QWidget>

#include "bench/pane.h"
#include "canvas/block_thumbnails.h"
#include "look/widgets.h"

class QScrollArea;

namespace adamerge::ui {

class BlockTiles : public QWidget {
  Q_OBJECT
 public:
  BlockTiles(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  void setPane(Pane& pane);
  void setReference(Pane* reference);
  /// What is there for tiles, whether a scroll bar is shown or not. They shrink to fit in, but not
  /// below a size at which something can be seen: then they are as high as they may be.
  void setRoom(const QSize& room);
  /// Where block `block` stands, with its text.
  QRect tileRect(int block) const;
  QRect pictureRect(int block) const;
  int tileCount() const;
  /// The chosen block's picture, `longest` pixels on its longer side; null: there is none yet.
  QImage chosenPicture(int longest) const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 signals:
  /// The user chose a block here, by pointer or key.
  void chosen(int block);
  void playToggled();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  ThumbnailScene scene() const;
  void refresh();
  void relayout();
  void describe();
  void choose(int block);
  std::optional<int> blockAt(const QPoint& position) const;
  const LayerTrace& layerOf(int block) const {
    return pane_->inspection()->result.layers[static_cast<std::size_t>(block)];
  }
  QSize pictureSize() const;
  int widestText() const;
  void paintTile(QPainter& painter, int block);
  QString toolTipOf(int block) const;

  QPointer<Pane> pane_;
  QPointer<Pane> reference_;
  // One pane may be followed in both roles, one after the other.
  QMetaObject::Connection pane_connection_;
  QMetaObject::Connection lens_connection_;
  QMetaObject::Connection reference_connection_;
  ViewState& view_;
  KeyboardFocus focus_;
  QSize room_;
  QSize hinted_;
  int text_width_ = 0;  ///< of a tile's longest usual text
  BlockThumbnails thumbnails_;
  QTimer drawn_delay_;
  QRect drawn_;  ///< not yet on the screen
};

// All blocks of a run side by side, to move through the depth by click, key or play button.

class BlockTiles;

class BlockStrip : public QWidget {
  Q_OBJECT
 public:
  BlockStrip(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  /// The pane whose blocks are shown, and the one its difference overlay compares with.
  void setPane(Pane& pane) { tiles_->setPane(pane); }
  void setReference(Pane* reference) { tiles_->setReference(reference); }
  bool playing() const { return timer_.isActive(); }
  BlockTiles& tiles() { return *tiles_; }

 public slots:
  /// Steps through the blocks, round and round, until something else chooses a block.
  void play();
  void stop();

 signals:
  void playingChanged(bool playing);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void step();
  void follow();
  void reveal();
  void showState();
  int scrollBarHeight() const;

  ViewState& view_;
  BlockTiles* tiles_;
  QScrollArea* scroll_;
  QToolButton* button_;
  QTimer timer_;
  bool stepping_ = false;
};

}  // namespace adamerge::ui
