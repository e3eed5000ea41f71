// SPDX-License-Identifier: GPL-3.0-or-later
// Work off the UI thread whose newest request counts: previews and the writing of files.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <functional>

namespace adamerge::ui {

class TaskRunner : public QObject {
  Q_OBJECT
 public:
  /// Runs on the UI thread once the work is done.
  using Finish = std::function<void()>;
  /// Runs on the runner's thread; no exception may leave it.
  using Work = std::function<Finish()>;

  explicit TaskRunner(QObject* parent = nullptr);
  /// Drops the waiting work, waits for the running one.
  ~TaskRunner() override;

  /// Replaces work that waits. What running work would have finished with is dropped.
  void submit(Work work);
  /// Drops everything not finished.
  void drop();
  bool busy() const { return running_; }

 signals:
  void busyChanged(bool busy);

 private:
  void start(Work work);
  void done(quint64 number, const Finish& finish);

  QThreadPool pool_;
  Work waiting_;
  quint64 newest_ = 0;
  bool running_ = false;
};

}  // namespace adamerge::ui
