// SPDX-License-Identifier: GPL-3.0-or-later
// Calibrates the present model on a folder, with progress and cancellation.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <filesystem>
#include <memory>
#include <vector>

#include "adamerge/methods.h"
#include "bench/jobs.h"

namespace adamerge {
class Engine;
}  // namespace adamerge

namespace adamerge::ui {

struct CalibrationRequest {
  std::filesystem::path folder;
  int limit = 500;                ///< images at most, drawn with seed 0
  std::vector<int> r_max;         ///< ascending
  MethodChoice choice;            ///< under whose settings
  std::filesystem::path state{};  ///< stateFile(): what is done is kept there, and gone on from
};

class CalibrationTask : public QObject {
  Q_OBJECT
 public:
  explicit CalibrationTask(std::shared_ptr<Worker> worker, QObject* parent = nullptr);

  void start(std::shared_ptr<const Engine> engine, const CalibrationRequest& request);
  void cancel();
  bool running() const { return running_; }

 signals:
  void progressed(qint64 done, qint64 total, double images_per_second, double seconds_left);
  /// `notes`: what images' files hold besides, in sentences.
  void finished(std::shared_ptr<const adamerge::Statistics> statistics, int images, int skipped,
                const QStringList& notes);
  void failed(const QString& message);
  void cancelled();

 private:
  std::shared_ptr<Worker> engine_worker_;  ///< takes turns with what else runs the engine
  bool running_ = false;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
