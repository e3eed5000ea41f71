// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that can leave the program as a file, in one dialog with a live preview.
#pragma once

#include <QDialog>
#include <memory>

#include "export/export_context.h"
#include "export/export_plan.h"
#include "export/source_list.h"

class QPushButton;

namespace adamerge::ui {

class ExportForm;
class NoticeLine;
class PagePreview;
class PlotPanel;
class TaskRunner;

class ExportDialog : public QDialog {
  Q_OBJECT
 public:
  /// The figures of the context's panes and their comparison, and `plots`, which must outlive the
  /// dialog. `chosen`: the id of the source to begin with.
  ExportDialog(ExportContext context, const std::vector<PlotPanel*>& plots,
               const QString& chosen = {}, QWidget* parent = nullptr);
  ~ExportDialog() override;

  void accept() override;  ///< exports and stays open
  void done(int result) override;

 private:
  QWidget* buildOptions();
  QWidget* buildFoot();
  void fillSources(const std::vector<PlotPanel*>& plots, const QString& chosen);
  void refresh();
  void refreshNames();
  void exportNow(const std::vector<ExportItem>& items);
  void finish(const std::vector<ExportItem>& items, const QString& problem);
  void copy();
  void setBusy(bool busy);

  ExportRequest request() const;

  ExportContext context_;
  std::unique_ptr<TaskRunner> runner_;
  SourceList* sources_;
  PagePreview* preview_;
  ExportForm* form_;
  NoticeLine* notice_;
  QPushButton* copy_;
  QPushButton* export_;
  bool busy_ = false;
};

}  // namespace adamerge::ui
