// SPDX-License-Identifier: GPL-3.0-or-later
// The list of what can be exported, in sections; one or several may be chosen.
#pragma once

#include <QListWidget>
#include <vector>

#include "export/export_source.h"

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

}  // namespace adamerge::ui
