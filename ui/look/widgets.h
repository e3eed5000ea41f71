// SPDX-License-Identifier: GPL-3.0-or-later
// Small widgets and helpers that every part uses.
#pragma once

#include <QDialog>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QObject>
#include <QSpinBox>
#include <QTimer>
#include <QWidget>
#include <optional>

class QWidget;

namespace adamerge::ui {

/// Without margins. `spacing`: between its parts; negative: as the style has it.
template <typename Layout>
Layout* tightLayout(QWidget* parent = nullptr, int spacing = -1) {
  auto* layout = new Layout(parent);
  layout->setContentsMargins(0, 0, 0, 0);
  if (spacing >= 0) layout->setSpacing(spacing);
  return layout;
}

// Labels that keep their place: numbers with digits of equal width, and text that is shortened
// rather than clipped.

/// One line of text whose digits all have the same width in any font, so that a number that
/// changes while a slider is dragged does not tremble.
class NumberLabel : public QLabel {
  Q_OBJECT
 public:
  explicit NumberLabel(QWidget* parent = nullptr);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  int cellWidth(QChar character) const;
  int textWidth() const;
};

/// One line that ends in "…" where it does not fit; then the tooltip has all of it. A tooltip that
/// was set is shown instead.
class ElidedLabel : public QLabel {
  Q_OBJECT
 public:
  explicit ElidedLabel(QWidget* parent = nullptr);

  /// Shown below the full text in the tooltip.
  void setExplanation(const QString& explanation);
  /// Qt::ElideRight unless set.
  void setElideMode(Qt::TextElideMode mode);
  /// What is drawn at the present width.
  QString shownText() const;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  QString explanation_;
  Qt::TextElideMode mode_ = Qt::ElideRight;
};

// Spin boxes as the forms need them.

/// A whole number, grouped as in English.
class CountBox : public QSpinBox {
  Q_OBJECT
 public:
  explicit CountBox(QWidget* parent = nullptr);
};

/// A number with a point, whatever the machine's language; a comma is taken for one as well. What
/// lies out of the range is taken as its nearest end.
class NumberBox : public QDoubleSpinBox {
  Q_OBJECT
 public:
  explicit NumberBox(QWidget* parent = nullptr);
  QValidator::State validate(QString& text, int& position) const override;
  void fixup(QString& text) const override;

 private:
  /// What is typed, in the range or not.
  std::optional<double> typed(QString text) const;
};

/// A real number without trailing zeros, with steps that suit its range and size.
class RealBox : public NumberBox {
  Q_OBJECT
 public:
  explicit RealBox(QWidget* parent = nullptr);
  QString textFromValue(double value) const override;
  void stepBy(int steps) override;
};

/// Scrolling a form must not change what the pointer happens to pass over.
void ignoreWheelWithoutFocus(QWidget& widget);

// A small turning arc that appears only when something takes long enough to be noticed. Its place
// stays reserved.

class BusyIndicator : public QWidget {
  Q_OBJECT
 public:
  explicit BusyIndicator(QWidget* parent = nullptr);

  void setBusy(bool busy);
  /// The arc is drawn.
  bool turning() const { return frames_.isActive(); }
  /// A disc behind the arc, for one that stands on a picture.
  void setBacking(bool backing) { backing_ = backing; }
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QTimer delay_;
  QTimer frames_;
  bool backing_ = false;
  int angle_ = 0;
};

// Whether a widget's focus is to be shown: it came by key, or keys are in use. A click says itself
// where it went.

class KeyboardFocus : public QObject {
  Q_OBJECT
 public:
  explicit KeyboardFocus(QWidget& widget);

  bool shown() const { return shown_; }

 signals:
  void changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void setShown(bool shown);

  bool shown_ = false;
};

/// Whether any of it is on the screen. Qt calls docks behind another's tab visible: they lie
/// outside the window.
bool isSeen(const QWidget& widget);

/// Holds one widget that fills it. What stands around is laid out anew only when that widget wants
/// another size: Qt lays out the whole window whenever a label within has another text.
class LayoutIsland : public QWidget {
  Q_OBJECT
 public:
  explicit LayoutIsland(QWidget* content, QWidget* parent = nullptr);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;
  bool hasHeightForWidth() const override;
  int heightForWidth(int width) const override;

 protected:
  bool event(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Wish {
    QSize hint;
    QSize least;
    int height;  ///< for the present width
    bool operator==(const Wish&) const = default;
  };
  Wish wish() const;

  QWidget* content_;
  Wish told_;
};

/// Grows where its wrapped text needs more height than a window grants by itself.
class FittingDialog : public QDialog {
  Q_OBJECT
 public:
  using QDialog::QDialog;

 protected:
  bool event(QEvent* event) override;
};

}  // namespace adamerge::ui
