// SPDX-License-Identifier: GPL-3.0-or-later
// Brings results from a worker's thread to an object on the UI thread.
#pragma once

#include <QObject>
#include <functional>
#include <mutex>
#include <utility>

namespace adamerge::ui {

/// Held by the receiver and by every job that reports to it, so that a job may outlive it.
class Mailbox {
 public:
  explicit Mailbox(QObject* receiver) : receiver_(receiver) {}

  /// Runs `call` on the receiver's thread, later; never once the receiver has closed the box.
  void post(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    if (receiver_ == nullptr) return;
    QMetaObject::invokeMethod(receiver_, std::move(call), Qt::QueuedConnection);
  }

  /// For the receiver's destructor.
  void close() {
    const std::lock_guard lock(mutex_);
    receiver_ = nullptr;
  }

 private:
  std::mutex mutex_;
  QObject* receiver_;
};

}  // namespace adamerge::ui
