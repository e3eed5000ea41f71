// SPDX-License-Identifier: GPL-3.0-or-later
// The methods of a batch, one row each, with the values of the compression setting to run.
#pragma once

#include <QWidget>
#include <vector>

#include "export/batch_plan.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QToolButton;
class QVBoxLayout;

namespace adamerge::ui {

class BatchRowEditor : public QWidget {
  Q_OBJECT
 public:
  /// Settings other than the compression are those of `known` with the same method, else defaults.
  BatchRowEditor(std::vector<MethodChoice> known, QWidget* parent = nullptr);

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
  explicit BatchRows(const std::vector<MethodChoice>& known, QWidget* parent = nullptr);

  std::vector<BatchRow> rows() const;

 signals:
  void changed();

 private:
  BatchRowEditor* addRow();
  void remove(BatchRowEditor* editor);
  void updateRemovable();

  std::vector<MethodChoice> known_;
  std::vector<BatchRowEditor*> editors_;
  QVBoxLayout* layout_;
};

}  // namespace adamerge::ui
