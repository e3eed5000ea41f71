// SPDX-License-Identifier: GPL-3.0-or-later
// Which images are measured: a folder or CIFAR-10's binary file, its labels, how many of them.
#pragma once

#include <QWidget>

#include "state/evaluation_setup.h"

class QCheckBox;
class QFormLayout;
class QLineEdit;
class QSpinBox;
class QToolButton;

namespace adamerge::ui {

class RecentList;

class DataFields : public QWidget {
  Q_OBJECT
 public:
  /// `recent` must outlive this.
  explicit DataFields(RecentList& recent, QWidget* parent = nullptr);

  void show(const EvaluationSetup& setup);
  /// Writes its part.
  void read(EvaluationSetup& setup) const;

 signals:
  void changed();

 private:
  void layOut();
  QToolButton* browseButton(const QString& tip);
  void fillMenu(QToolButton& button);
  void chooseFolder();
  void chooseFile(QLineEdit& line, const QString& title, const QString& filter);

  RecentList& recent_;
  QLineEdit* data_;
  QLineEdit* labels_;
  QCheckBox* unlabelled_;
  QSpinBox* limit_;
  QSpinBox* seed_;
  QWidget* labels_row_ = nullptr;
};

}  // namespace adamerge::ui
