// SPDX-License-Identifier: GPL-3.0-or-later
// How and where to export: format, page, block, folder, name and data.
#pragma once

#include <QWidget>

#include "export/export_options.h"
#include "export/export_source.h"

class QButtonGroup;
class QLabel;
class QSpinBox;

namespace adamerge::ui {

class TargetForm;

class ExportForm : public QWidget {
  Q_OBJECT
 public:
  /// `depth`: blocks of the model; `block`: the one to begin with, 0-based.
  ExportForm(int depth, int block, QWidget* parent = nullptr);

  ExportOptions options() const;
  void setOptions(const ExportOptions& options);
  ExportStyle style(const OverlayStyle& overlay) const;

  void setBlockUsed(bool used);
  void setDataAvailable(bool available);
  void setPageSize(const QSizeF& mm);
  void showNames(const QStringList& names, const QString& problem);

 signals:
  void pageChanged();    ///< the picture looks different
  void targetChanged();  ///< only where it goes

 private:
  void addFormats();
  void addBlock(int depth, int block);
  FigureFormat format() const;

  QButtonGroup* formats_;
  PageForm* page_;
  QLabel* block_label_;
  QSpinBox* block_;
  TargetForm* target_;
};

}  // namespace adamerge::ui
