// SPDX-License-Identifier: GPL-3.0-or-later
// All blocks of a run side by side, to move through the depth by click, key or play button.
#pragma once

#include <QTimer>
#include <QToolButton>
#include <QWidget>

#include "state/pane.h"
#include "state/view_state.h"

class QScrollArea;

namespace adamerge::ui {

class BlockTiles;

class BlockStrip : public QWidget {
  Q_OBJECT
 public:
  BlockStrip(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  /// The pane whose blocks are shown, and the one its difference overlay compares with.
  void setPane(Pane& pane);
  void setReference(Pane* reference);
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
