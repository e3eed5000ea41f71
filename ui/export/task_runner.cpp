// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/task_runner.h"

#include <QMetaObject>
#include <utility>

namespace adamerge::ui {

TaskRunner::TaskRunner(QObject* parent) : QObject(parent) { pool_.setMaxThreadCount(1); }

TaskRunner::~TaskRunner() { pool_.waitForDone(); }

void TaskRunner::submit(Work work) {
  ++newest_;
  if (running_) {
    waiting_ = std::move(work);
    return;
  }
  running_ = true;
  start(std::move(work));
  emit busyChanged(true);
}

void TaskRunner::drop() {
  ++newest_;
  waiting_ = nullptr;
}

void TaskRunner::start(Work work) {
  pool_.start([this, number = newest_, work = std::move(work)] {
    Finish finish = work();
    QMetaObject::invokeMethod(
        this, [this, number, finish = std::move(finish)] { done(number, finish); },
        Qt::QueuedConnection);
  });
}

void TaskRunner::done(quint64 number, const Finish& finish) {
  Work next = std::exchange(waiting_, nullptr);
  running_ = next != nullptr;
  if (next != nullptr) start(std::move(next));
  if (!running_) emit busyChanged(false);
  if (number == newest_ && finish) finish();
}

}  // namespace adamerge::ui
