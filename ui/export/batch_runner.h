// SPDX-License-Identifier: GPL-3.0-or-later
// The work of a batch, without thread or signals.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "export/batch_job.h"
#include "export/figure_input.h"

namespace adamerge::ui {

class BatchRunner {
 public:
  /// `progress` is called before every image; the rates are left to the caller.
  BatchRunner(const Engine& engine, const BatchPlan& plan,
              std::function<void(int done, const QString& image)> progress)
      : engine_(engine), plan_(plan), progress_(std::move(progress)) {}

  /// Runs until all is done, `stop` asks for an end or a file cannot be written.
  BatchSummary run(const std::stop_token& stop);

 private:
  void runImage(const BatchImage& image, const std::stop_token& stop);
  void writeFigures(const BatchImage& image, const FigureSubject& subject,
                    const ImageResult& result, const std::stop_token& stop);
  void note(const std::string& sentence);
  void writeTable();

  const Engine& engine_;
  const BatchPlan& plan_;
  std::function<void(int, const QString&)> progress_;
  BatchSummary summary_;
  std::string table_;
  std::set<std::string> noted_;
};

}  // namespace adamerge::ui
