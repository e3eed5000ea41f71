// SPDX-License-Identifier: GPL-3.0-or-later
// A count for each block as bars to drag; opened from and saved to the command line's files.
#pragma once

#include <QWidget>
#include <optional>
#include <vector>

#include "adamerge/methods.h"
#include "bench/jobs.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class ScheduleBars : public QWidget {
  Q_OBJECT
 public:
  explicit ScheduleBars(QWidget* parent = nullptr);

  /// `most`: largest count that fits. `own`: somebody set them; else the method chose them.
  void setCounts(std::vector<std::int64_t> counts, int most, bool own);
  const std::vector<std::int64_t>& counts() const { return counts_; }
  int block() const { return block_; }  ///< the one that keys change
  /// From the baseline up, in the widget.
  QRectF barRect(int block) const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 signals:
  void edited(const std::vector<std::int64_t>& counts);
  void finished();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;

 private:
  QRectF area() const;
  std::optional<int> blockAt(const QPointF& position) const;
  void drag(const QPointF& position);
  void put(int block, std::int64_t count);
  void describe();
  QString textOf(int block) const;

  std::vector<std::int64_t> counts_;
  int most_ = 0;
  bool own_ = false;
  int block_ = 0;
  double top_ = 1;  ///< the count at the upper edge; stays while a bar is dragged
  bool dragging_ = false;
};

class ScheduleEditor : public QWidget {
  Q_OBJECT
 public:
  explicit ScheduleEditor(QWidget* parent = nullptr);

  void setCounts(const std::vector<std::int64_t>& counts, int most, bool own);
  /// From now on another method or canvas: files asked for before are not taken for it.
  void showAnother() { ++subject_; }
  /// Takes the schedule of this name from a file; without a name, the only one there is or the one
  /// that the user picks. Both come back at once, and say by failed() what went wrong.
  void open(const QString& path, const QString& name = {});
  void save(const QString& path);

 signals:
  void edited(const adamerge::SettingValue& counts);
  void finished();
  void opened(const adamerge::Schedule& schedule);
  void failed(const QString& message);

 private:
  std::optional<Schedule> chosen(const std::vector<Schedule>& schedules, const QString& name);
  void take(const Schedule& schedule);

  ScheduleBars* bars_;
  QLabel* name_;
  QToolButton* save_;
  std::optional<Schedule> named_;  ///< what was opened or saved last
  unsigned subject_ = 0;
  Jobs jobs_{this, drawingWorker()};
};

}  // namespace adamerge::ui
