// SPDX-License-Identifier: GPL-3.0-or-later
// One line about the patch under the pointer, or else the selected one. Its place never depends on
// its text.
#pragma once

#include <QPointer>
#include <QStringList>
#include <QWidget>

#include "state/pane.h"
#include "state/view_state.h"

namespace adamerge::ui {

class HoverReadout : public QWidget {
  Q_OBJECT
 public:
  HoverReadout(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  /// The pane whose run is read.
  void setPane(Pane& pane);
  const QString& text() const { return text_; }

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void read();

  QPointer<Pane> pane_;
  ViewState& view_;
  QString text_;
  QStringList fields_;  ///< empty: the text says what could be done, not what is there
  QStringList widest_;
};

}  // namespace adamerge::ui
