// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the batch dialog: methods, figures, and how it goes.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "export/batch_job.h"
#include "export/batch_plan.h"
#include "export/export_source.h"
#include "export/page_form.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QSpinBox;
class QToolButton;
class QVBoxLayout;

namespace adamerge::ui {

// The methods of a batch, one row each, with the values of the compression setting to run.

class BatchRowEditor : public QWidget {
  Q_OBJECT
 public:
  /// Settings other than the compression are those of `known` with the same method, else the
  /// defaults of `vit`.
  BatchRowEditor(std::vector<MethodChoice> known, const VitConfig& vit, QWidget* parent = nullptr);

  BatchRow row() const { return {base_, values()}; }
  void setChoice(const MethodChoice& choice);
  void setRemovable(bool removable);

 signals:
  void changed();
  void removed();

 private:
  QString values() const;
  void chooseMethod();
  void showBase();

  std::vector<MethodChoice> known_;
  VitConfig vit_;
  MethodChoice base_;
  QComboBox* method_;
  QLabel* knob_;
  QLineEdit* values_;
  QLabel* settings_;
  QToolButton* remove_;
};

class BatchRows : public QWidget {
  Q_OBJECT
 public:
  /// Begins with a row for each of `known`, those shown in the window.
  BatchRows(const std::vector<MethodChoice>& known, const VitConfig& vit,
            QWidget* parent = nullptr);

  std::vector<BatchRow> rows() const;

 signals:
  void changed();

 private:
  BatchRowEditor* addRow();
  void remove(BatchRowEditor* editor);
  void updateRemovable();

  std::vector<MethodChoice> known_;
  VitConfig vit_;
  std::vector<BatchRowEditor*> editors_;
  QVBoxLayout* layout_;
};

// Which figures a batch writes, in which formats and how large.

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

// How a batch goes: bar, speed, time left, and what could not be used.

class BatchReport : public QWidget {
  Q_OBJECT
 public:
  explicit BatchReport(QWidget* parent = nullptr);

  void begin(int images);
  void show(const BatchProgress& progress);
  void cancelling();
  /// Only what could not be used stays, if anything.
  void end(const BatchSummary& summary);

 private:
  QProgressBar* bar_;
  QLabel* text_;
  QPlainTextEdit* details_;
};

/// "2,340 images, 4,680 figures and a table written; 3 images skipped"
QString describe(const BatchSummary& summary);

}  // namespace adamerge::ui
