// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/operating_point.h"

#include <QFile>
#include <algorithm>
#include <nlohmann/json.hpp>

namespace adamerge::ui {
namespace {

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
      return QObject::tr("FLOPs in % of the unmerged model");
    case CostAxis::kPaperFlops:
      return QObject::tr("FLOPs (G, “paper” convention)");
    case CostAxis::kTotalFlops:
      return QObject::tr("FLOPs (G, “total” convention)");
    case CostAxis::kImagesPerSecond:
      return QObject::tr("Images per second");
    case CostAxis::kSpeedUp:
      return QObject::tr("Speed-up over the unmerged model");
  }
  return {};
}

QString axisLabel(QualityAxis axis) {
  switch (axis) {
    case QualityAxis::kDifference:
      return QObject::tr("Δ top-1 (points)");
    case QualityAxis::kTop1:
      return QObject::tr("Top-1 (%)");
    case QualityAxis::kAgreement:
      return QObject::tr("Agreement (%)");
    case QualityAxis::kPatchMiou:
      return QObject::tr("mIoU of patches with the unmerged map (%)");
    case QualityAxis::kPixelMiou:
      return QObject::tr("mIoU of pixels with the unmerged map (%)");
    case QualityAxis::kKl:
      return QObject::tr("KL from unmerged (nats)");
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
  // Its axis is logarithmic: the unmerged model's own has no place there.
  if (axis == QualityAxis::kKl) return point.kl && *point.kl > 0 ? point.kl : std::nullopt;
  if (axis == QualityAxis::kPatchMiou || axis == QualityAxis::kPixelMiou) {
    if (!point.maps) return std::nullopt;
    return 100 *
           (axis == QualityAxis::kPatchMiou ? point.maps->patch_miou : point.maps->pixel_miou);
  }
  if (!point.top1 || axis == QualityAxis::kTop1) return point.top1;
  if (!unmerged.top1) return std::nullopt;
  return *point.top1 - *unmerged.top1;
}

std::optional<Interval> qualityInterval(const OperatingPoint& point, QualityAxis axis) {
  if (axis == QualityAxis::kTop1) return point.top1_interval;
  if (axis == QualityAxis::kDifference) return point.difference_interval;
  return std::nullopt;
}

OperatingPoint toOperatingPoint(const AccuracyPoint& point) {
  return {point.method,    point.settings,    point.top1,        point.top1_interval,
          point.agreement, point.flops.paper, point.flops.total, point.images_per_second,
          std::nullopt,    point.maps,        std::nullopt,      point.kl_divergence};
}

OperatingPoints toOperatingPoints(const AccuracyRecord& record) {
  OperatingPoints points{QString::fromStdString(record.model),
                         QString::fromStdString(record.dataset),
                         QObject::tr("measured here"),
                         {}};
  for (const AccuracyPoint& point : record.points) {
    points.points.push_back(toOperatingPoint(point));
  }
  return points;
}

}  // namespace adamerge::ui

/// Resources of a static library are linked only where they are asked for, outside any namespace.
static void requirePublishedResource() { Q_INIT_RESOURCE(published); }

namespace adamerge::ui {
namespace {

OperatingPoints read() {
  requirePublishedResource();
  QFile file(QStringLiteral(":/published/vit-b16.json"));
  const bool open = file.open(QIODevice::ReadOnly);
  Q_ASSERT(open);
  Q_UNUSED(open);
  const auto json = nlohmann::json::parse(file.readAll().toStdString());
  const auto text = [&](const char* key) {
    return QString::fromStdString(json.at(key).get<std::string>());
  };
  OperatingPoints published{text("model"), text("dataset"), text("source"), {}};
  OperatingPoint unmerged;
  unmerged.method = "none";
  unmerged.top1 = json.at("unmerged").at("top1").get<double>();
  unmerged.flops_paper = json.at("unmerged").at("flops_paper").get<double>();
  unmerged.speed_up = 1;
  published.points.push_back(unmerged);
  for (const auto& entry : json.at("points")) {
    OperatingPoint point;
    MethodChoice choice{entry.at("method").get<std::string>(), {}, nullptr, false};
    for (const auto& [key, value] : entry.at("settings").items()) {
      choice.settings[key] = value.get<std::int64_t>();
    }
    point.method = choice.method;
    point.settings = completeSettings(choice);
    point.top1 = entry.at("top1").get<double>();
    point.flops_paper = entry.at("flops_paper").get<double>();
    point.speed_up = entry.at("speed_up").get<double>();
    published.points.push_back(std::move(point));
  }
  return published;
}

}  // namespace

const OperatingPoints& publishedPoints() {
  static const OperatingPoints published = read();
  return published;
}

}  // namespace adamerge::ui
