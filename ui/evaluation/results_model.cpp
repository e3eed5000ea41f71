// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/results_model.h"

#include <algorithm>
#include <cmath>

#include "adamerge/report.h"
#include "look/text.h"
#include "look/theme.h"

namespace adamerge::ui {
namespace {

constexpr double kLeastP = 0.0001;

QString number(double value, int decimals) { return QString::number(value, 'f', decimals); }

QString signedNumber(double value) {
  return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + number(std::abs(value), 2);
}

}  // namespace

QString settingName(const MethodChoice& choice, const VitConfig& vit) {
  const QString label = QString::fromStdString(findMethod(choice.method).label);
  return QString::fromStdString(describe(choice, vit)).mid(label.size() + 2);
}

void ResultsModel::setReport(EvaluationReportPtr report) {
  const auto rows = [](const EvaluationReportPtr& of) {
    return of == nullptr ? 0 : static_cast<int>(of->evaluation.points.size());
  };
  // Rows that stay keep the selection and the place of the view.
  if (rows(report) == rows(report_) && report_ != nullptr) {
    report_ = std::move(report);
    emit dataChanged(index(0, 0), index(rows(report_) - 1, kColumns - 1));
    emit headerDataChanged(Qt::Horizontal, 0, kColumns - 1);
    return;
  }
  beginResetModel();
  report_ = std::move(report);
  endResetModel();
}

void ResultsModel::forgetIcons() {
  icons_.clear();
  if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, 0));
}

int ResultsModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid() || report_ == nullptr) return 0;
  return static_cast<int>(report_->evaluation.points.size());
}

int ResultsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kColumns;
}

const EvaluatedPoint& ResultsModel::point(int row) const {
  return report_->evaluation.points[static_cast<std::size_t>(row)];
}

std::optional<double> ResultsModel::quality(int row) const {
  const AccuracyPoint& accuracy = point(row).accuracy;
  return report_->evaluation.labelled ? accuracy.top1 : accuracy.agreement;
}

std::optional<double> ResultsModel::difference(int row) const {
  const auto own = point(row).accuracy.top1;
  const auto unmerged = point(0).accuracy.top1;
  if (row == 0 || !own || !unmerged) return std::nullopt;
  return *own - *unmerged;
}

QString ResultsModel::text(int row, Column column) const {
  const EvaluatedPoint& own = point(row);
  const double unmerged = point(0).accuracy.flops.paper;
  switch (column) {
    case kMethod:
      return QString::fromStdString(findMethod(own.choice.method).label);
    case kSetting:
      return settingName(own.choice, report_->evaluation.vit);
    case kFlops:
      return flopsNumber(own.accuracy.flops.paper);
    case kShare:
      return tr("%1 %").arg(number(100 * own.accuracy.flops.paper / unmerged, 1));
    case kQuality: {
      const auto value = quality(row);
      const auto& interval = own.accuracy.top1_interval;
      if (!value) return {};
      if (!report_->evaluation.labelled || !interval) return number(*value, 2);
      return tr("%1  (%2–%3)")
          .arg(number(*value, 2), number(interval->low, 1), number(interval->high, 1));
    }
    case kDifference: {
      const auto value = difference(row);
      return value ? signedNumber(*value) : QString();
    }
    case kKl: {
      const auto& kl = own.accuracy.kl_divergence;
      return row > 0 && kl ? number(*kl, 4) : QString();
    }
    case kP: {
      const auto& compared = report_->compared[static_cast<std::size_t>(row)];
      if (!compared) return {};
      return compared->paired.p < kLeastP ? tr("< 0.0001") : number(compared->paired.p, 4);
    }
    case kColumns:
      break;
  }
  return {};
}

QVariant ResultsModel::sortKey(int row, Column column) const {
  const auto orLast = [](const std::optional<double>& value) { return value ? *value : 1e9; };
  switch (column) {
    case kSetting:
      // Within a method the order of the counts is that of the points.
      return row;
    case kFlops:
    case kShare:
      return point(row).accuracy.flops.paper;
    case kQuality:
      return orLast(quality(row));
    case kDifference:
      return orLast(difference(row));
    case kKl:
      return orLast(point(row).accuracy.kl_divergence);
    case kP: {
      const auto& compared = report_->compared[static_cast<std::size_t>(row)];
      return compared ? compared->paired.p : 2.0;
    }
    default:
      return text(row, column);
  }
}

QString ResultsModel::tip(int row, Column column) const {
  const EvaluatedPoint& own = point(row);
  if (column == kMethod || column == kSetting) {
    QString name = QString::fromStdString(describe(own.choice, report_->evaluation.vit));
    if (own.tier) name += tr("\nthe nearest to %1 G").arg(*own.tier);
    if (!own.calibrated) name += tr("\nuncalibrated: z = 0 in every block");
    return name + tr("\nClick to see it on the canvas");
  }
  const auto& compared = report_->compared[static_cast<std::size_t>(row)];
  if (column == kP && compared) {
    const auto& other = point(static_cast<int>(compared->other));
    return (report_->evaluation.labelled ? tr("Right on %1 images that %2 gets wrong, and wrong on "
                                              "%3 that it gets right.\n")
                                         : tr("Agrees with the unmerged model on %1 images where "
                                              "%2 does not; the other way round on %3.\n"))
               .arg(compared->paired.only_first)
               .arg(QString::fromStdString(describe(other.choice, report_->evaluation.vit)))
               .arg(compared->paired.only_second) +
           tr("p: how likely a split at least as uneven is if both are equally good (McNemar).");
  }
  if (column == kQuality) return tr("On %1 images").arg(own.accuracy.images);
  return {};
}

QVariant ResultsModel::data(const QModelIndex& index, int role) const {
  const int row = index.row();
  const auto column = static_cast<Column>(index.column());
  switch (role) {
    case Qt::DisplayRole:
      return text(row, column);
    case Qt::ToolTipRole:
      return tip(row, column);
    case kSortRole:
      return sortKey(row, column);
    case Qt::TextAlignmentRole:
      return int(column <= kSetting ? Qt::AlignLeft | Qt::AlignVCenter
                                    : Qt::AlignRight | Qt::AlignVCenter);
    case Qt::DecorationRole: {
      if (column != kMethod) return {};
      const std::string& method = point(row).choice.method;
      const auto known = icons_.find(method);
      return known != icons_.end() ? known->second : icons_[method] = methodSwatch(method);
    }
    default:
      return {};
  }
}

QVariant ResultsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  const bool labelled = report_ == nullptr || report_->evaluation.labelled;
  const auto column = static_cast<Column>(section);
  if (role == Qt::DisplayRole) {
    const QStringList names = {tr("Method"), tr("Setting"),
                               tr("FLOPs"),  labelled ? tr("Top-1 % (95 %)") : tr("Agreement %"),
                               tr("Δ"),      tr("KL"),
                               tr("p"),      tr("FLOPs G")};
    return names.value(section);
  }
  if (role == Qt::TextAlignmentRole) {
    return int(column <= kSetting ? Qt::AlignLeft | Qt::AlignVCenter
                                  : Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role != Qt::ToolTipRole) return {};
  switch (column) {
    case kFlops:
      return tr("In the papers' convention, mean over the images");
    case kShare:
      return tr("FLOPs in % of the unmerged model");
    case kQuality:
      return labelled ? tr("Images classified right, with the 95 % interval (Wilson)")
                      : tr("Images to which the unmerged model gives the same top class");
    case kDifference:
      return tr("Points of accuracy gained or lost against the unmerged model");
    case kKl:
      return tr(
          "How far the class probabilities are from the unmerged model's, in nats, mean over "
          "the images");
    case kP:
      return tr("Against the first method at the same FLOPs: below 0.05 is called a difference");
    default:
      return {};
  }
}

}  // namespace adamerge::ui
