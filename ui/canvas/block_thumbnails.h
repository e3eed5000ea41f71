// SPDX-License-Identifier: GPL-3.0-or-later
// Every block of a run as a small picture of what the model sees with the overlay over it, drawn a
// few at a time between events, so that nothing waits for them.
#pragma once

#include <QImage>
#include <QObject>
#include <QTimer>
#include <optional>
#include <vector>

#include "adamerge/figures.h"
#include "bench/data.h"

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

class BlockThumbnails : public QObject {
  Q_OBJECT
 public:
  explicit BlockThumbnails(QObject* parent = nullptr);

  /// Draws anew what changed, beginning with `first`; the pictures before stay meanwhile.
  void show(const ThumbnailScene& scene, int first);
  /// Null before it is drawn for the first time.
  QImage image(int block) const;
  bool complete() const { return stale_.empty(); }

 signals:
  void drawn(int block);

 private:
  void drawSome();
  QImage draw(int block) const;

  ThumbnailScene scene_;
  std::vector<QImage> images_;
  std::vector<int> stale_;  ///< blocks to draw, the next one last
  QTimer timer_;
};

}  // namespace adamerge::ui
