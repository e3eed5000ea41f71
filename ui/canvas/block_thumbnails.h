// SPDX-License-Identifier: GPL-3.0-or-later
// Every block of a run as a small picture of what the model sees with the overlay over it, drawn
// off the UI thread.
#pragma once

#include <QImage>
#include <QObject>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/figures.h"
#include "bench/data.h"
#include "bench/jobs.h"

namespace adamerge::ui {

struct ThumbnailScene {
  InspectionPtr inspection;
  InspectionPtr reference;  ///< what kDifference compares with
  LensShownPtr lens;        ///< what the overlay's lens shows
  OverlayStyle style;
  std::optional<int> selected;
  QSize size;  ///< logical pixels
  double ratio = 1;

  bool operator==(const ThumbnailScene&) const = default;
};

/// One of them, drawn now.
QImage drawBlock(const ThumbnailScene& shown, int block);

class BlockThumbnails : public QObject {
  Q_OBJECT
 public:
  explicit BlockThumbnails(QObject* parent = nullptr);

  /// Draws anew what changed, beginning with `first`; the pictures before stay meanwhile.
  void show(const ThumbnailScene& scene, int first);
  /// Null before it is drawn for the first time.
  QImage image(int block) const;

 signals:
  void drawn(int block);

 private:
  ThumbnailScene scene_;
  std::vector<QImage> images_;
  std::string key_;
  Jobs jobs_;
};

}  // namespace adamerge::ui
