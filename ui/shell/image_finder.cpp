// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/image_finder.h"

#include <QThreadPool>
#include <mutex>

#include "adamerge/image.h"

namespace adamerge::ui {

/// Outlives its finder: a search through a slow disk cannot be interrupted, only disowned.
struct ImageFinder::Search {
  std::mutex mutex;
  ImageFinder* owner = nullptr;  ///< nullptr: nobody waits any more

  template <typename Tell>
  void answer(const std::shared_ptr<Search>& self, Tell tell) {
    const std::lock_guard lock(mutex);
    if (owner == nullptr) return;
    QMetaObject::invokeMethod(
        owner,
        [finder = owner, self, tell = std::move(tell)] {
          if (finder->search_ != self) return;
          finder->search_.reset();
          tell(*finder);
        },
        Qt::QueuedConnection);
  }
};

ImageFinder::ImageFinder(QObject* parent) : QObject(parent) {}

ImageFinder::~ImageFinder() { cancel(); }

void ImageFinder::cancel() {
  if (search_ == nullptr) return;
  const std::lock_guard lock(search_->mutex);
  search_->owner = nullptr;
}

void ImageFinder::find(const std::filesystem::path& folder) {
  cancel();
  search_ = std::make_shared<Search>();
  search_->owner = this;
  QThreadPool::globalInstance()->start([search = search_, folder] {
    try {
      std::vector<std::filesystem::path> files = findImages(folder);
      search->answer(search,
                     [files = std::move(files)](ImageFinder& finder) { emit finder.found(files); });
    } catch (const std::exception& error) {
      search->answer(search, [message = QString::fromUtf8(error.what())](ImageFinder& finder) {
        emit finder.failed(message);
      });
    }
  });
}

}  // namespace adamerge::ui
