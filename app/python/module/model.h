// SPDX-License-Identifier: GPL-3.0-or-later
// A loaded model and what it did to an image, as the package's Python sees them: options and
// settings are the command line's, results arrays and the command line's JSON.
#pragma once

#include <pybind11/pybind11.h>

#include <condition_variable>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "adamerge/evaluate.h"
#include "inspection.h"
#include "measured_images.h"
#include "options.h"

namespace adamerge::python {

/// "--r-max=16", a positional argument as it stands.
using Arguments = std::vector<std::string>;

/// One image under a method. Keeps its model.
class Run {
 public:
  Run(std::shared_ptr<const Engine> engine, std::shared_ptr<const cli::Inspection> inspection,
      cli::InspectedImage image);

  std::string json() const;
  pybind11::dict block(int index) const;  ///< of LayerTrace what has no name of its own method
  int blocks() const { return static_cast<int>(image_.report.result.layers.size()); }
  pybind11::tuple logits() const;
  pybind11::tuple embedding() const;
  pybind11::dict flops() const;
  std::vector<std::string> warnings() const;  ///< on the image and the run
  /// Options of figures and lenses, with --out: writes them there.
  void writeFigures(const Arguments& arguments);
  void writeTrace(const std::filesystem::path& path) const;

 private:
  std::shared_ptr<const Engine> engine_;
  std::shared_ptr<const cli::Inspection> inspection_;
  cli::InspectedImage image_;
};

/// An evaluation on a thread of its own, told step by step.
class EvaluationRun {
 public:
  EvaluationRun(std::shared_ptr<const Engine> engine, const cli::EngineChoice& choice,
                Arguments arguments);
  ~EvaluationRun();
  EvaluationRun(const EvaluationRun&) = delete;
  EvaluationRun& operator=(const EvaluationRun&) = delete;

  /// The next news: stage, done, total and, where images were measured, JSON of all points. None:
  /// it is over. Throws what ended it, Ctrl-C as well, which stops it.
  std::optional<pybind11::dict> next();
  std::vector<std::string> warnings();
  void stop() { thread_.request_stop(); }

 private:
  struct News {
    std::string stage;
    std::int64_t done = 0;
    std::int64_t total = 0;
    std::string json;
  };
  void measure(const std::stop_token& stop);
  void tell(const Progress& progress);

  std::shared_ptr<const Engine> engine_;
  cli::EvaluationSubject subject_;
  std::unique_ptr<const CLI::App> command_;  ///< that it was declared on
  unsigned seed_;
  int threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  News news_;
  bool is_new_ = false;
  bool over_ = false;
  std::vector<std::string> warnings_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

class Model {
 public:
  /// Throws Error, and what a signal's handler raises.
  explicit Model(Arguments arguments);

  std::string json() const { return modelJson(*engine_); }
  std::string device() const { return engine_->device(); }
  std::string dtype() const { return engine_->dtype(); }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// `image`: a path, or pixels, [height, width, 3] of uint8 without gaps.
  std::unique_ptr<Run> inspect(const std::variant<pybind11::buffer, std::string>& image,
                               const std::string& name, const std::string& method,
                               const cli::WrittenSettings& settings) const;
  std::unique_ptr<EvaluationRun> evaluate(Arguments arguments) const;
  /// Sentences: what was written, then what was left out or warned of.
  std::vector<std::string> calibrate(Arguments arguments) const;

 private:
  cli::EngineChoice choice_;
  std::shared_ptr<const Engine> engine_;
  std::vector<std::string> warnings_;
};

}  // namespace adamerge::python
