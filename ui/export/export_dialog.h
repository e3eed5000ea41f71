// SPDX-License-Identifier: GPL-3.0-or-later
// The list of what can be exported, in sections; one or several may be chosen.
#pragma once

#include <QDialog>
#include <QListWidget>
#include <memory>
#include <vector>

#include "bench/jobs.h"
#include "export/export_plan.h"
#include "export/export_source.h"

class QPushButton;

namespace adamerge::ui {

struct SourceSection {
  QString title;
  std::vector<ExportSourcePtr> sources;
};

class SourceList : public QListWidget {
  Q_OBJECT
 public:
  explicit SourceList(QWidget* parent = nullptr);

  void setSections(const std::vector<SourceSection>& sections);
  void choose(const QString& id);
  /// In the order of the list.
  std::vector<ExportSourcePtr> chosen() const;
  /// The one to preview: the current one while it is chosen. nullptr: none.
  ExportSourcePtr current() const;

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  ExportSourcePtr sourceOf(const QListWidgetItem* item) const;

  std::vector<ExportSourcePtr> sources_;
};

// Everything that can leave the program as a file, in one dialog with a live preview.

class ExportForm;
class MessageLine;
class PagePreview;
class PlotPanel;

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
  SourceList* sources_;
  PagePreview* preview_;
  ExportForm* form_;
  MessageLine* notice_;
  QPushButton* copy_;
  QPushButton* export_;
  bool busy_ = false;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
