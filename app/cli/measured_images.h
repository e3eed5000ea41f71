// SPDX-License-Identifier: GPL-3.0-or-later
// What `evaluate` measures on which images, and what `calibrate` finds out: the programs' and the
// Python module's.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "choice_options.h"
#include "options.h"
#include "terminal.h"

namespace adamerge::cli {

/// The options of an evaluation but for the model and the files.
class EvaluationSubject {
 public:
  void addTo(CLI::App& command);
  /// Throws Error: no image, classes that the model does not know; Cancelled.
  Dataset open(const ModelInfo& model, unsigned seed, const std::stop_token& stop) const;
  const ChoiceOptions& choices() const { return choices_; }
  std::size_t batch() const { return batch_; }
  /// Threads that read images ahead, for one that computes with so many.
  static int decoders(int threads);

 private:
  ChoiceOptions choices_;
  DatasetOptions dataset_;
  std::string folder_;
  std::string labels_;
  std::size_t limit_ = 0;
  std::size_t batch_ = 8;
};

/// The options of a calibration but for the model.
class CalibrationSubject {
 public:
  void addTo(CLI::App& command);
  /// Before the model is loaded. Throws UsageError, and Error for the file.
  void check() const;
  struct Outcome {
    std::string sentence;  ///< what was written, from what
    std::string left_out;  ///< images that could not be read, in a sentence; empty: none
  };
  /// Writes the file. Throws Error, Cancelled.
  Outcome run(const Engine& engine, unsigned seed, Terminal& terminal,
              const std::stop_token& stop) const;

 private:
  /// Throws UsageError.
  MethodChoice choice() const;
  Outcome runImportance(const Engine& engine, unsigned seed, Terminal& terminal,
                        const std::stop_token& stop) const;
  /// The list of those two that is given.
  std::string listed() const { return ratio_.empty() ? "r_max" : "ratio"; }
  std::vector<int> counts() const;

  MethodOptions method_;
  std::string folder_;
  std::string r_max_;
  std::string ratio_;
  std::string output_;
  int passes_ = 2;
  std::size_t limit_ = 0;
};

}  // namespace adamerge::cli
