// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/thumbnail_decoder.h"

#include <algorithm>
#include <functional>

#include "adamerge/image.h"
#include "compute/error_text.h"

namespace adamerge::ui {
namespace {

/// More than a large window shows; what was scrolled past long ago is not decoded.
constexpr std::size_t kLongestQueue = 400;

QImage thumbnail(const std::filesystem::path& path, int side) {
  const Image image = loadImage(path);
  const QImage whole(image.pixels.data(), image.width, image.height,
                     static_cast<qsizetype>(image.width) * 3, QImage::Format_RGB888);
  const QSize size = whole.size().scaled(side, side, Qt::KeepAspectRatio).expandedTo({1, 1});
  // An icon of 32 pixels stays sharp: small pictures are not enlarged.
  const bool smaller = size.width() < image.width;
  return (smaller ? whole.scaled(size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation) : whole)
      .convertToFormat(QImage::Format_RGB32);
}

}  // namespace

ThumbnailDecoder::ThumbnailDecoder(QObject* parent)
    : QObject(parent), thread_([this](const std::stop_token& stop) { work(stop); }) {}

ThumbnailDecoder::~ThumbnailDecoder() {
  thread_.request_stop();
  thread_.join();
}

void ThumbnailDecoder::clear() {
  const std::lock_guard lock(mutex_);
  jobs_.clear();
  ++generation_;
}

void ThumbnailDecoder::want(const std::vector<Job>& jobs) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(jobs_, [&](const Job& waiting) {
      return std::any_of(jobs.begin(), jobs.end(),
                         [&](const Job& job) { return job.row == waiting.row; });
    });
    jobs_.insert(jobs_.begin(), jobs.begin(), jobs.end());
    if (jobs_.size() > kLongestQueue) jobs_.resize(kLongestQueue);
  }
  wake_.notify_one();
}

void ThumbnailDecoder::work(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    const std::uint64_t generation = generation_;
    lock.unlock();
    try {
      const QImage image = thumbnail(job.path, job.side);
      report(generation, [this, row = job.row, image] { emit decoded(row, image); });
    } catch (const std::exception& error) {
      const QString problem = errorText(error);
      report(generation, [this, row = job.row, problem] { emit failed(row, problem); });
    }
  }
}

void ThumbnailDecoder::report(std::uint64_t generation, std::function<void()> tell) {
  // Checked on the UI thread, where clear() is called: nothing of an older list comes through.
  QMetaObject::invokeMethod(
      this,
      [this, generation, tell = std::move(tell)] {
        if (generation == generation_) tell();
      },
      Qt::QueuedConnection);
}

}  // namespace adamerge::ui
