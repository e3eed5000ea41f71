// SPDX-License-Identifier: GPL-3.0-or-later
// What a canvas says in words, and the line about the patch under the pointer.
#pragma once

#include <QPointer>
#include <QString>
#include <QStringList>
#include <QWidget>

#include "adamerge/figures.h"
#include "bench/data.h"
#include "bench/pane.h"

namespace adamerge::ui {

// What a canvas says in words: about the patch under the pointer, about its run, and where its
// overlay has nothing to show.

/// Place, size of the token's group after `block`, salience and the class token's attention where
/// the run has them, the token's own merge.
QStringList patchFields(const Inspection& inspection, int patch, int block);
/// The widest that all fields but the last can be, so that a display can keep them in place.
QStringList widestFields(const Inspection& inspection, int block);
/// The fields in one line.
QString describePatch(const Inspection& inspection, int patch, int block);

/// Method and settings; tokens left and FLOPs.
QStringList captionLines(const Inspection& inspection);
/// What the method tells of a block: "Block 4: pooled, scores vary by 5e-05"; that restored
/// groups hold there alone. Empty: nothing.
QString blockNotice(const Inspection& inspection, int block);
/// "bird 98.1 %, unmerged 99.0 %"; without a classifier how alike the features are.
QString classLine(const Inspection& inspection);
/// What the overlay draws of a patch, as a number; empty: nothing to tell.
QString patchNumber(const Inspection& inspection, int patch, int block, OverlayKind kind,
                    const LensShownPtr& lens = nullptr);

/// What the lens shows: of which token, which head, and the shares of prefix tokens; empty:
/// nothing.
QString lensLine(const Inspection& inspection, OverlayKind kind, int block,
                 const LensShownPtr& lens);

/// Why the overlay is empty, in a sentence; empty where it is not.
QString overlayNotice(const Inspection& inspection, const OverlayStyle& style, int block,
                      bool has_reference, const LensShownPtr& lens = nullptr);

/// G with as many decimals as tell neighbouring settings apart.
QString flopsText(double flops);

// One line about the patch under the pointer, or else the selected one. Its place never depends on
// its text.

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
