// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/turn.h"

#include <utility>

#include "adamerge/error.h"

namespace adamerge::ui {

Turn::Turn(std::shared_ptr<Worker> worker, std::string key)
    : worker_(std::move(worker)), key_(std::move(key)), shared_(std::make_shared<Shared>()) {}

Turn::~Turn() { worker_->cancel(key_); }

void Turn::next(const std::stop_token& stop) {
  unsigned turn = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    turn = ++shared_->turn;
    shared_->granted = false;
  }
  shared_->changed.notify_all();
  worker_->submit(key_, Urgency::kBackground,
                  [shared = shared_, turn](const std::stop_token& interrupted) {
                    std::unique_lock lock(shared->mutex);
                    if (shared->turn != turn) return;
                    shared->granted = true;
                    shared->changed.notify_all();
                    shared->changed.wait(lock, interrupted, [&] { return shared->turn != turn; });
                  });
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, stop, [&] { return shared_->granted; });
  throwIfStopped(stop);
}

}  // namespace adamerge::ui
