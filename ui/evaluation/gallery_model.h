// SPDX-License-Identifier: GPL-3.0-or-later
// The images of a gallery: what is seen is decoded, then drawn with its groups.
#pragma once

#include <memory>

#include "bench/gallery.h"
#include "sources/thumbnails.h"

namespace adamerge::ui {

class GalleryModel : public LazyThumbnails {
  Q_OBJECT
 public:
  static constexpr int kLines = 2;

  using LazyThumbnails::LazyThumbnails;

  /// nullptr: nothing. `engine`: of the model that was measured; nullptr: pictures show no groups.
  void show(GalleryListPtr list, std::shared_ptr<const Engine> engine);
  const GalleryListPtr& list() const { return list_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  /// Besides: what the image was taken for without and with merging, and how sure.
  QVariant data(const QModelIndex& index, int role) const override;

 protected:
  ThumbnailDecoder::Job job(int row) const override;

 private:
  QString text(std::size_t picture) const;
  QString tip(std::size_t picture) const;

  GalleryListPtr list_;
  std::shared_ptr<const Engine> engine_;
};

}  // namespace adamerge::ui
