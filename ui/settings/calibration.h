// SPDX-License-Identifier: GPL-3.0-or-later
// Calibrating the present model on a folder of the user's images.
#pragma once

#include <QDialog>
#include <QElapsedTimer>
#include <QString>
#include <filesystem>
#include <memory>
#include <vector>

#include "adamerge/methods.h"
#include "bench/data.h"
#include "look/widgets.h"

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace adamerge::ui {

// What to calibrate: the values of r_max as typed, and the settings statistics belong to.

/// The values of r_max that statistics are made for; of networks that restore their grid, of ratio.
struct CalibratedKnob {
  QString name;
  int limit = 0;
};
CalibratedKnob calibratedKnob(const VitConfig& vit);

/// "4,8,16" -> 4, 8, 16. Throws Error in words for people: no value, not ascending, not from 1 to
/// the knob's limit.
std::vector<int> parseCounts(const QString& text, const CalibratedKnob& knob);

/// What the model's statistics were made for; without any, a range that suits the model. nullptr:
/// one that suits most.
QString suggestedCounts(const LoadedModelPtr& model);

/// Of the choice in use only what statistics belong to, with counts that follow them; for a method
/// without statistics, one that has them, at its defaults.
MethodChoice calibrationChoice(const MethodChoice& active);

/// That choice for people: the method and what differs from its defaults.
QString describeConditions(const MethodChoice& choice, const VitConfig& vit);

// Calibrates the present model on a folder of the user's images.

class MessageLine;
class Workbench;

class CalibrationDialog : public FittingDialog {
  Q_OBJECT
 public:
  explicit CalibrationDialog(Workbench& workbench, QWidget* parent = nullptr);

  void setFolder(const std::filesystem::path& folder);
  /// Asks nothing: writes the statistics found to `path`. What goes wrong is said in the dialog.
  void save(const std::filesystem::path& path);

 public slots:
  /// Cancels what runs.
  void reject() override;

 private:
  void layOut();
  void connectTask();
  void refresh();
  void browse();
  void start();
  void progress(qint64 done, qint64 total, double seconds_left);
  void finish(const std::shared_ptr<const Statistics>& statistics, int images, int skipped);
  void use();
  void askWhereToSave();

  Workbench& workbench_;
  std::shared_ptr<const Statistics> statistics_;
  bool mine_ = false;  ///< the running task was started here
  QElapsedTimer clock_;
  QLabel* subject_;
  QLineEdit* folder_;
  QPushButton* browse_;
  QSpinBox* images_;
  QLineEdit* r_max_;
  QProgressBar* bar_;
  QLabel* progress_;
  MessageLine* notice_;
  QPushButton* start_;
  QPushButton* stop_;
  QPushButton* use_;
  QPushButton* save_;
};

}  // namespace adamerge::ui
