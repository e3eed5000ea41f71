// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/operating_point.h"

#include <QCoreApplication>
#include <algorithm>

namespace adamerge::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("AccuracyPlot", text); }

std::optional<double> ratio(std::optional<double> value, std::optional<double> to) {
  if (!value || !to || *to == 0) return std::nullopt;
  return *value / *to;
}

}  // namespace

const OperatingPoint* OperatingPoints::unmerged() const {
  const auto found = std::find_if(points.begin(), points.end(), [](const OperatingPoint& point) {
    return point.method == "none";
  });
  return found == points.end() ? nullptr : &*found;
}

QString axisLabel(CostAxis axis) {
  switch (axis) {
    case CostAxis::kPercent:
      return tr("FLOPs in % of the unmerged model");
    case CostAxis::kPaperFlops:
      return tr("FLOPs (G, “paper” convention)");
    case CostAxis::kTotalFlops:
      return tr("FLOPs (G, “total” convention)");
    case CostAxis::kImagesPerSecond:
      return tr("Images per second");
    case CostAxis::kSpeedUp:
      return tr("Speed-up over the unmerged model");
  }
  return {};
}

QString axisLabel(QualityAxis axis) {
  switch (axis) {
    case QualityAxis::kDifference:
      return tr("Δ top-1 (points)");
    case QualityAxis::kTop1:
      return tr("Top-1 (%)");
    case QualityAxis::kAgreement:
      return tr("Agreement (%)");
  }
  return {};
}

std::optional<double> costOf(const OperatingPoint& point, const OperatingPoint& unmerged,
                             CostAxis axis) {
  switch (axis) {
    case CostAxis::kPercent: {
      const auto share = ratio(point.flops_paper, unmerged.flops_paper);
      return share ? std::optional(100 * *share) : std::nullopt;
    }
    case CostAxis::kPaperFlops:
      return point.flops_paper;
    case CostAxis::kTotalFlops:
      return point.flops_total;
    case CostAxis::kImagesPerSecond:
      return point.images_per_second;
    case CostAxis::kSpeedUp:
      return point.speed_up ? point.speed_up
                            : ratio(point.images_per_second, unmerged.images_per_second);
  }
  return std::nullopt;
}

std::optional<double> qualityOf(const OperatingPoint& point, const OperatingPoint& unmerged,
                                QualityAxis axis) {
  if (axis == QualityAxis::kAgreement) return point.agreement;
  if (!point.top1 || axis == QualityAxis::kTop1) return point.top1;
  if (!unmerged.top1) return std::nullopt;
  return *point.top1 - *unmerged.top1;
}

std::optional<Interval> qualityInterval(const OperatingPoint& point, const OperatingPoint& unmerged,
                                        QualityAxis axis) {
  if (axis == QualityAxis::kAgreement || !point.top1_interval) return std::nullopt;
  if (axis == QualityAxis::kTop1) return point.top1_interval;
  if (!unmerged.top1) return std::nullopt;
  return Interval{point.top1_interval->low - *unmerged.top1,
                  point.top1_interval->high - *unmerged.top1};
}

OperatingPoint toOperatingPoint(const AccuracyPoint& point) {
  return {point.method,        point.settings,          point.top1,
          point.top1_interval, point.agreement,         point.flops.paper,
          point.flops.total,   point.images_per_second, std::nullopt};
}

OperatingPoints toOperatingPoints(const AccuracyRecord& record) {
  OperatingPoints points{QString::fromStdString(record.model),
                         QString::fromStdString(record.dataset),
                         tr("measured here"),
                         {}};
  for (const AccuracyPoint& point : record.points) {
    points.points.push_back(toOperatingPoint(point));
  }
  return points;
}

}  // namespace adamerge::ui
