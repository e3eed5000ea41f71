// SPDX-License-Identifier: GPL-3.0-or-later
// A plot with what every plot can do: zoom, pan, a legend that hides series, values under the
// pointer, copying, keys, light and dark, a text where there is nothing to show.
#pragma once

#include <QWidget>
#include <functional>
#include <memory>

#include "plots/plot_content.h"
#include "plots/plot_pointer.h"
#include "plots/plot_readout.h"
#include "plots/plot_renderer.h"

class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QStackedWidget;
class QToolButton;

namespace adamerge::ui {

class PlotPanel : public QWidget {
  Q_OBJECT
 public:
  /// `id` is for file names ("tokens"), `title` for people.
  PlotPanel(const QString& id, const QString& title, QWidget* parent = nullptr);
  ~PlotPanel() override;

  const QString& id() const { return id_; }
  const QString& title() const { return title_; }
  const PlotContent& content();
  bool isEmpty() { return content().isEmpty(); }
  /// `refresh` sets new content: at once where the plot is seen, else when somebody looks.
  void whenSeen(std::function<void()> refresh);
  bool isSeriesVisible(const QString& id) const { return !hidden_.contains(id); }
  void setSeriesVisible(const QString& id, bool visible);
  /// What is seen now, zoom and hidden series included: for exportPlot().
  PlotSnapshot snapshot();
  /// The read-out's text; empty while nothing is pointed at.
  QString readout() const;

  /// The drawing itself, up to date even while the panel is not shown.
  QCustomPlot& plot();
  PlotRenderer& renderer() { return *renderer_; }

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public slots:
  void fit();
  void zoom(double factor);  ///< above 1: closer
  void copyImage();
  void copyData();

 signals:
  void exportRequested();
  /// Large in a window of its own, or back.
  void enlargeRequested();
  /// A point was clicked, or chosen with Return.
  void pointChosen(const adamerge::ui::PlotPoint& point, int source);
  /// The key of the point that the pointer means; -1: none any more.
  void pointedAt(int key);

 protected:
  /// Draws the new content once the event loop is reached; while not shown, when shown.
  void setContent(PlotContent content);
  /// A control above the plot, from left to right; one that says what it is needs no label.
  void addControl(const QString& label, QWidget* control);
  /// Clicks between two panes' points count for this one.
  void setPreferredSource(int source) { pointer_->setPreferredSource(source); }
  /// What a click chooses is no mere look.
  void chooseDeliberately() { pointer_->chooseDeliberately(); }

  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void makeActions();
  void connectMouse();
  void catchUp();
  int plotRoom(int width) const;
  void draw();
  /// Where it is seen; else when it is.
  void drawLater();
  /// In a low panel one line: the plot needs the room.
  void showNote();
  void showMenu(const QPoint& global);

  QString id_;
  QString title_;
  PlotContent content_;
  QSet<QString> hidden_;
  bool outdated_ = true;
  bool queued_ = false;
  std::function<void()> refresh_;  ///< still to be called
  bool zoomed_ = false;            ///< the user chose the ranges
  bool keyboard_focus_ = false;

  QHBoxLayout* controls_ = nullptr;
  QStackedWidget* stack_ = nullptr;
  QCustomPlot* plot_ = nullptr;
  QLabel* empty_ = nullptr;
  QToolButton* enlarge_ = nullptr;
  QLabel* note_ = nullptr;
  std::unique_ptr<PlotRenderer> renderer_;
  std::unique_ptr<PlotHover> hover_;
  std::unique_ptr<PlotPointer> pointer_;
};

}  // namespace adamerge::ui
