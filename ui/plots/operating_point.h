// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy against cost on axes of the user's choice. Relative axes make points of different
// models comparable.
#pragma once

#include <QString>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"

namespace adamerge::ui {

/// A method under one setting; what was not measured or not published is empty.
struct OperatingPoint {
  std::string method;
  Settings settings;           ///< complete
  std::optional<double> top1;  ///< percent, as all three
  std::optional<Interval> top1_interval;
  std::optional<double> agreement;
  std::optional<double> flops_paper;  ///< G
  std::optional<double> flops_total;
  std::optional<double> images_per_second;
  std::optional<double> speed_up;         ///< over the unmerged model, where only that is known
  std::optional<MapAgreement> maps = {};  ///< of a dense head
  std::optional<Interval> difference_interval = {};  ///< of top1 less the unmerged model's, paired
  std::optional<double> kl = {};                     ///< from the unmerged model, nats
};

/// Points of one model, the unmerged one (method "none") among them.
struct OperatingPoints {
  QString model;
  QString dataset;
  QString source;  ///< who measured
  std::vector<OperatingPoint> points;

  const OperatingPoint* unmerged() const;
};

enum class CostAxis { kPercent, kPaperFlops, kTotalFlops, kImagesPerSecond, kSpeedUp };
enum class QualityAxis { kDifference, kTop1, kAgreement, kPatchMiou, kPixelMiou, kKl };

QString axisLabel(CostAxis axis);
QString axisLabel(QualityAxis axis);

/// nullopt: not known for this point.
std::optional<double> costOf(const OperatingPoint& point, const OperatingPoint& unmerged,
                             CostAxis axis);
std::optional<double> qualityOf(const OperatingPoint& point, const OperatingPoint& unmerged,
                                QualityAxis axis);
/// The confidence interval on that axis. Of a difference: that of both on the same images; nullopt
/// where it is not known, and for the unmerged model, whose difference to itself is none.
std::optional<Interval> qualityInterval(const OperatingPoint& point, QualityAxis axis);

OperatingPoint toOperatingPoint(const AccuracyPoint& point);
OperatingPoints toOperatingPoints(const AccuracyRecord& record);

/// The published points of ViT-B/16 on ImageNet-1k.
const OperatingPoints& publishedPoints();

}  // namespace adamerge::ui
