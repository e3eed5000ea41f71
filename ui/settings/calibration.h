// SPDX-License-Identifier: GPL-3.0-or-later
// Calibrating the present model on a folder of the user's images.
#pragma once

#include <QDialog>
#include <QElapsedTimer>
#include <QString>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
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

/// The setting that statistics are made for some values of.
struct CalibratedKnob {
  QString name;
  int limit = 0;
  std::string key = {};
  std::optional<int> chosen = {};  ///< where they hang on no value: the one in use
};
/// That of calibrationChoice().
CalibratedKnob calibratedKnob(const MethodChoice& active, const VitConfig& vit);

/// "4,8,16" -> 4, 8, 16. Throws Error in words for people: no value, not ascending, not from 1 to
/// the knob's limit.
std::vector<int> parseCounts(const QString& text, const CalibratedKnob& knob);

/// The knob's one value, or what the model's statistics were made for; else a range that suits the
/// model.
QString suggestedCounts(const LoadedModel& model, const CalibratedKnob& knob);

/// Of the choice in use only what statistics belong to, with counts that follow them; for a method
/// without statistics, one that has them, at its defaults.
MethodChoice calibrationChoice(const MethodChoice& active);

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
  void suggestCounts();
  void connectTask();
  void refresh();
  void browse();
  void start();
  void progress(qint64 done, qint64 total, double images_per_second, double seconds_left);
  void finish(const std::shared_ptr<const Statistics>& statistics, int images, int skipped,
              const QStringList& notes);
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
  QLabel* counted_;
  QLineEdit* counts_;
  CalibratedKnob knob_;  ///< what counts_ are values of
  QProgressBar* bar_;
  QLabel* progress_;
  MessageLine* notice_;
  QPushButton* start_;
  QPushButton* stop_;
  QPushButton* use_;
  QPushButton* save_;
};

}  // namespace adamerge::ui
