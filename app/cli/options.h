// SPDX-License-Identifier: GPL-3.0-or-later
// Options that all commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/hub.h"
#include "terminal.h"

namespace adamerge::cli {

/// Which model, on what device.
class EngineChoice {
 public:
  void addTo(CLI::App& command);
  /// defaultModel() if none was named; a model of the hub is fetched where the cache lacks it.
  std::filesystem::path model(Terminal& terminal, const std::stop_token& stop) const;
  bool namesModel() const { return !model_.empty(); }
  /// Throws UsageError.
  EngineOptions options() const;
  /// `threads`: for each run of the engine, in place of threads().
  Engine load(Terminal& terminal, const std::stop_token& stop,
              std::optional<int> threads = std::nullopt) const;
  /// As many as there are `cores`, by default the machine's, where none were named.
  int threads(std::optional<int> cores = std::nullopt) const;
  bool namesThreads() const { return threads_ > 0; }
  bool quiet() const { return quiet_; }
  unsigned seed() const { return seed_; }

 private:
  std::string model_;
  std::string device_ = "auto";
  std::string dtype_ = "auto";
  std::string input_size_;
  std::string head_;
  std::string dense_head_;
  std::string weight_set_;
  std::string resampling_;
  int threads_ = 0;
  unsigned seed_ = 0;
  bool quiet_ = false;
};

/// Which method, with which settings: the options come from the registry, one per setting key.
class MethodOptions {
 public:
  /// Leaves out the settings in `except`, which the command takes in a form of its own.
  void addTo(CLI::App& command, const std::string& default_method,
             const std::vector<std::string>& except = {});
  /// The same without --method, for a command that takes several methods.
  void addSettingsTo(CLI::App& command, const std::vector<std::string>& except = {});
  /// Reads the statistics file if one was named. Throws UsageError for settings the method does not
  /// have or values it does not take, Error for the statistics file.
  MethodChoice choice() const;
  /// One for each of `methods`, with those of the given settings that it has. Throws as choice()
  /// does; a setting must be one of at least one of the methods.
  std::vector<MethodChoice> choices(const std::vector<std::string>& methods) const;
  /// Whether any of the options was given.
  bool given() const;

 private:
  struct Setting {
    std::string text;
    bool off = false;  ///< --no-key was given
    CLI::Option* option = nullptr;
    bool given() const { return option->count() > 0 || off; }
  };
  MethodChoice choiceOf(const std::string& method, const std::vector<std::string>& keys) const;
  std::vector<std::string> givenKeys() const;

  std::string method_;
  CLI::Option* method_option_ = nullptr;
  std::map<std::string, Setting> settings_;  ///< by key
  std::string statistics_;
};

/// Settings by key, each as a person writes it: "r_max" and "16"; "stats" with a file for methods
/// that use layer statistics. Throws UsageError, Error for the statistics file.
using WrittenSettings = std::vector<std::pair<std::string, std::string>>;
MethodChoice writtenChoice(const std::string& method, const WrittenSettings& settings);

/// "tome r=8 inflection=-1", and "stats=FILE" for methods that use layer statistics; `option`: that
/// takes it. Throws UsageError, Error for the statistics file.
MethodChoice parseVariant(const std::string& text, const std::string& option);

/// "adamerge", "tome", ...: what --method takes.
std::vector<std::string> methodIds();
/// The id that `text` means, as an id or a label; `text` itself where there is none.
std::string methodNamed(const std::string& text);

/// A folder or file that comes with the program: "models/vit-tiny-cifar10", "resources/samples".
/// In share/adamerge-studio of a folder that the program, or the Python module, lies below; of a
/// build folder too. Throws Error.
std::filesystem::path bundled(const std::string& relative);

/// Folders of the models that come with the program, as far as they are there; the default first.
std::vector<std::filesystem::path> bundledModels();

/// What runs where no model was named.
struct DefaultModel {
  std::filesystem::path folder;
  std::string warning;  ///< why it is not the usual one, in a sentence; empty: it is
};
/// Where the usual one is missing or damaged, the smaller one. Throws Error: that is missing too.
DefaultModel defaultModel();

/// A model of the hub: its folder in the cache. What the cache lacks is fetched, and said.
std::filesystem::path obtainModel(const hub::ModelName& name, Terminal& terminal,
                                  const std::stop_token& stop);

/// Asks the hub even where the cache has the model: a branch may have moved on, a file be damaged.
std::filesystem::path refreshModel(const hub::ModelName& name, Terminal& terminal,
                                   const std::stop_token& stop);

}  // namespace adamerge::cli
