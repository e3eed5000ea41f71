// SPDX-License-Identifier: GPL-3.0-or-later
// The work of a batch: every image under every choice, figures and a table, on a thread of its own.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"
#include "bench/jobs.h"
#include "export/batch_journal.h"
#include "export/batch_plan.h"
#include "export/figure_source.h"

namespace adamerge::ui {

// The summary of a batch: one line per image and choice, for spreadsheets and pandas.

struct BatchRecord {
  const std::string& image;  ///< name
  std::string method;
  std::string settings;  ///< describe()
  const ImageResult& result;
  const ImageResult& baseline;  ///< the unmerged model on the same image
};

/// "image,method,settings,...\n"
std::string batchTableHeader();
/// Columns are empty of what there is not: classes of a model without a classifier, FLOPs or an
/// unmerged run that a trace does not hold.
std::string batchTableLine(const ModelInfo& model, const BatchRecord& record);

// Runs a batch on a thread of its own: every image under every choice, figures and a table.

struct BatchProgress {
  int done = 0;  ///< images
  int total = 0;
  double images_per_second = 0;
  double seconds_left = 0;
  QString image;  ///< the one under way
};

struct BatchSummary {
  int images = 0;       ///< finished under all choices
  int continued = 0;    ///< of them, by an earlier run of the same batch
  int runs = 0;         ///< lines of the table
  int files = 0;        ///< figures written
  QStringList skipped;  ///< one sentence per image that could not be used
  QStringList notes;    ///< warnings, and figures that a method cannot give; each once
  QString problem;      ///< why it stopped early; empty: it did not
  bool cancelled = false;
  bool table = false;  ///< the table was written
};

class BatchJob : public QObject {
  Q_OBJECT
 public:
  explicit BatchJob(QObject* parent = nullptr);

  /// Not while one is running.
  void start(std::shared_ptr<const Engine> engine, BatchPlan plan);
  /// What is finished stays, the table holds it.
  void cancel() { stop_.request_stop(); }
  bool running() const { return running_; }

 signals:
  void progressed(const adamerge::ui::BatchProgress& progress);
  void ended(const adamerge::ui::BatchSummary& summary);

 private:
  bool running_ = false;
  std::stop_source stop_;
  Jobs jobs_{this};
};

// The work of a batch, without thread or signals.

class BatchRunner {
 public:
  /// `progress` is called before every image; the rates are left to the caller.
  BatchRunner(const Engine& engine, const BatchPlan& plan,
              std::function<void(int done, const QString& image)> progress)
      : engine_(engine), plan_(plan), progress_(std::move(progress)), journal_(engine, plan) {}

  /// Runs until all is done, `stop` asks for an end or a file cannot be written. What an earlier
  /// run of the same batch finished is not done again.
  BatchSummary run(const std::stop_token& stop);

 private:
  void runAll(const std::stop_token& stop);
  void runImage(const BatchImage& image, const std::stop_token& stop);
  void runPicture(const BatchImage& image, const std::stop_token& stop, FinishedImage& done);
  void runTraced(const BatchImage& image, const std::stop_token& stop, FinishedImage& done);
  /// `method`: for people. `make` gives a kind's input, and throws Error where there is none.
  void writeFigures(const BatchImage& image, const MethodChoice* choice, const std::string& method,
                    const std::function<FigureInput(const FigureKind&)>& make,
                    const std::stop_token& stop, FinishedImage& done);
  void count(const FinishedImage& done);
  std::shared_ptr<const LensPictures> lensOf(const std::string& kind, const ImageResult& result,
                                             const ImageResult& baseline,
                                             const std::stop_token& stop) const;
  void note(const std::string& sentence);
  void writeTable();

  const Engine& engine_;
  const BatchPlan& plan_;
  std::function<void(int, const QString&)> progress_;
  BatchJournal journal_;
  BatchSummary summary_;
  std::string table_;
  std::set<std::string> noted_;
};

}  // namespace adamerge::ui
