// SPDX-License-Identifier: GPL-3.0-or-later
// Which figures a batch writes, in which formats and how large.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "export/export_source.h"
#include "export/page_form.h"

class QCheckBox;
class QSpinBox;

namespace adamerge::ui {

class BatchFigures : public QWidget {
  Q_OBJECT
 public:
  /// `depth`: blocks of the model.
  BatchFigures(int depth, int block, QWidget* parent = nullptr);

  std::vector<std::string> kinds() const;
  std::vector<FigureFormat> formats() const;
  PageOptions page() const;
  int block() const;  ///< 0-based

  void restore();  ///< what was chosen last
  void save() const;

 signals:
  void changed();

 private:
  void refresh();

  std::vector<QCheckBox*> kinds_;
  std::vector<QCheckBox*> formats_;
  PageForm* page_;
  QSpinBox* block_;
};

}  // namespace adamerge::ui
