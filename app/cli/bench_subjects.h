// SPDX-License-Identifier: GPL-3.0-or-later
// What `bench` measures, and on which images.
#pragma once

#include <string>
#include <vector>

#include "choice_options.h"
#include "options.h"

namespace adamerge::cli {

struct BenchImages {
  std::vector<InputTensor> inputs;
  std::size_t skipped = 0;  ///< could not be read, and were named
};

/// The model that --model names, or untrained ones of the architectures that --architecture names.
class BenchSubjects {
 public:
  /// `engine` must outlive it.
  explicit BenchSubjects(const EngineChoice& engine) : engine_(engine) {}

  void addTo(CLI::App& command);
  /// Throws UsageError where an architecture is named beside --model.
  void check() const;

  /// Architectures, or one empty name: the model.
  std::vector<std::string> names() const;
  Engine load(const std::string& name, Terminal& terminal, const std::stop_token& stop) const;
  /// At most `count` images, those of --images or made ones. Throws Error where none can be read.
  BenchImages images(const Engine& engine, std::size_t count, Terminal& terminal,
                     const std::stop_token& stop) const;
  /// For the record.
  std::string imagesText() const;

 private:
  const EngineChoice& engine_;
  std::string architectures_;
  std::string images_;
};

/// An untrained model has no layer statistics, without which every image would merge the same
/// number: gives it those of `images`, under the settings of the first of `methods` that uses any.
void calibrateUntrained(Engine& engine, const std::vector<InputTensor>& images,
                        const std::vector<MethodChoice>& methods, Terminal& terminal,
                        const std::stop_token& stop);

}  // namespace adamerge::cli
