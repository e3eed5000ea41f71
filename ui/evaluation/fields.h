// SPDX-License-Identifier: GPL-3.0-or-later
// What is measured: on which images, which methods, at which counts or FLOPs.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "bench/evaluation.h"

class QCheckBox;
class QFormLayout;
class QLineEdit;
class QRadioButton;
class QSpinBox;
class QToolButton;

namespace adamerge::ui {

// Which images are measured: a folder or CIFAR-10's binary file, its labels, how many of them.

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

// What is measured on the images: which methods, at which counts or FLOPs.

class PointFields : public QWidget {
  Q_OBJECT
 public:
  explicit PointFields(QWidget* parent = nullptr);

  void show(const EvaluationSetup& setup);
  /// Writes its part.
  void read(EvaluationSetup& setup) const;
  /// Offers what a model takes. Suggests tiers for it, unless the user has typed some.
  void suggestFor(const LoadedModel& model);

 signals:
  void changed();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  struct MethodBox {
    std::string id;
    QCheckBox* box;
  };
  QWidget* makeMethods();
  QLineEdit* makeList(const char* name, const QString& label, const QString& tip);
  void showMode();
  void markLists();

  std::vector<MethodBox> methods_;
  QCheckBox* canvases_;
  QRadioButton* by_count_;
  QRadioButton* by_flops_;
  QLineEdit* r_max_;
  QLineEdit* r_;
  QLineEdit* ratio_;
  QLineEdit* flops_;
  bool restores_ = false;  ///< the model restores its grid: ratios in place of counts
  QString suggested_;
  QFormLayout* form_ = nullptr;
};

}  // namespace adamerge::ui
