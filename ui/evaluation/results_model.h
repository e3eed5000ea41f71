// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation has measured, a row per point.
#pragma once

#include <QAbstractTableModel>
#include <map>

#include "bench/evaluation.h"

namespace adamerge::ui {

class ResultsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { kMethod, kSetting, kShare, kQuality, kDifference, kKl, kP, kFlops, kColumns };
  static constexpr int kSortRole = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  /// Points of the same evaluation keep their rows. nullptr: nothing.
  void setReport(EvaluationReportPtr report);
  const EvaluationReportPtr& report() const { return report_; }
  /// The swatches follow the theme.
  void forgetIcons();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  const EvaluatedPoint& point(int row) const;
  QString text(int row, Column column) const;
  QVariant sortKey(int row, Column column) const;
  QString tip(int row, Column column) const;
  std::optional<double> quality(int row) const;
  std::optional<double> difference(int row) const;

  EvaluationReportPtr report_;
  mutable std::map<std::string, QVariant> icons_;  ///< by method
};

/// "r_max 16, alpha 2": a choice's name without its method's; empty where that says all.
QString settingName(const MethodChoice& choice, const VitConfig& vit);

}  // namespace adamerge::ui
