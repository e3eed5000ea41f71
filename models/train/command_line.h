// SPDX-License-Identifier: GPL-3.0-or-later
// What adamerge-train can be told.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "recipe.h"

namespace adamerge::training {

struct CommandLine {
  std::string data;
  std::string test;
  std::string output;
  std::string checkpoint_to_export;  ///< empty: train
  std::string model_to_measure;      ///< whose importance to write; empty: train
  std::string model_to_begin_with;   ///< empty: weights are drawn at random
  std::vector<std::string> shape;    ///< the recipe's shape as far as it was given: option names
  std::string model_to_compensate;   ///< for which a compensator is trained; empty: train a model
  bool resume = false;
  bool quiet = false;
  int checkpoint_every = 500;
  std::string device = "auto";
  std::string weights = "float16";
  int threads = 0;                               ///< 0: as many as the machine has cores
  std::shared_ptr<const Statistics> statistics;  ///< that the method was given; may be null
  /// dtype "auto" is still to be decided by the device, the shape by `model_to_begin_with`.
  Recipe recipe;

  std::filesystem::path checkpoint() const;  ///< files and folder in `output`
  std::filesystem::path log() const;
  std::filesystem::path model() const;
};

class CommandLineOptions {
 public:
  explicit CommandLineOptions(CLI::App& app);
  /// Once parsed. Throws cli::UsageError.
  CommandLine read() const;

 private:
  void addRun();
  void addShape();
  void addSchedule();
  void addRegularisation();

  CLI::App& app_;
  CommandLine line_;
  std::string keep_patches_;
  std::string method_ = "none";  ///< with its settings
  std::optional<int> r_;
};

}  // namespace adamerge::training
