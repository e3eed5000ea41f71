// SPDX-License-Identifier: GPL-3.0-or-later
// A loaded model that runs images under a merging method. Keeps LibTorch out of its users.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/flops.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

struct Importance;

struct Device {
  std::string id;    ///< "cpu", "cuda:0"
  std::string name;  ///< for people
};
/// CPU first, then what CUDA offers.
std::vector<Device> availableDevices();

/// "LibTorch 1.13.1".
std::string torchVersion();

struct EngineOptions {
  std::string device = "auto";  ///< auto (CUDA where there is one), cpu, cuda, cuda:N
  /// float32, bfloat16, float16 (CUDA only), int8 (the blocks' products, CPU only), float64, or
  /// auto, the fastest that the device has arithmetic for: bfloat16 on a CPU that multiplies it and
  /// on CUDA from compute capability 8, float16 from 7, else float32.
  std::string dtype = "auto";
  int threads = 0;  ///< 0: as many as the machine has cores; process-wide in LibTorch
  std::optional<InputSize> input_size = std::nullopt;  ///< overrides the model's
  /// How a position table is brought to the input's grid; nullopt: as the library does that the
  /// weights come from.
  std::optional<Resampling> resampling = std::nullopt;
  /// A classifier, or a table of text embeddings, instead of the model's own (safetensors: weight,
  /// bias, logit_scale; docs/models.md). Empty: none.
  std::filesystem::path head{};
  /// A linear classifier of patches, whose class maps are then told (safetensors: weight, bias,
  /// bn.*; or mmseg's .pth; docs/dense.md). Empty: none.
  std::filesystem::path dense_head{};
  /// Which of several sets of weights in one file is meant, by any of its keys or prefixes
  /// ("state_dict", "student"). Empty: averaged weights before others.
  std::string weight_set{};

  bool operator==(const EngineOptions&) const = default;
};

struct RunOptions {
  bool trace = true;      ///< record salience, groups and merges of every block
  bool features = false;  ///< hand out the final tokens, for patchCosine(), and class maps
  bool record = false;    ///< keep what the lenses look into (lenses.h)
};

/// A choice as one engine runs it: settings complete and checked against the model, layer
/// statistics chosen, the method made. Never changes; copies share it, threads may too. May outlive
/// its engine.
class PreparedMethod {
 public:
  /// With every setting in force; as given otherwise.
  const MethodChoice& choice() const;

  struct State;  ///< the engine's own: engine/placed_model.h
  explicit PreparedMethod(std::shared_ptr<const State> state);
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

class Engine {
 public:
  /// `path`: a model folder or a weight file. `stats.json` in the folder is read if it is there.
  /// Throws Error (files, architecture, device, dtype), Cancelled.
  static Engine load(const std::filesystem::path& path, const EngineOptions& options = {},
                     const ProgressCallback& progress = {}, const std::stop_token& stop = {});
  /// A model with random weights, always the same, to measure what an architecture costs:
  /// vit_SIZE_patchP_INPUT, SIZE one of tiny, small, base, large, huge. Throws Error (name, input
  /// size, device, dtype).
  static Engine untrained(std::string_view architecture, const EngineOptions& options = {});
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  const ModelInfo& info() const;
  std::string device() const;  ///< "cpu", "cuda:0"
  std::string dtype() const;   ///< "float32"
  /// The model's own calibration; nullptr where it has none, or none usable (then
  /// statisticsProblem() says why).
  std::shared_ptr<const Statistics> statistics() const;
  const std::string& statisticsProblem() const;
  /// May be called while other threads run the engine; what is prepared keeps the statistics that
  /// it has.
  void setStatistics(std::shared_ptr<const Statistics> statistics);

  /// Takes seconds where a method measures on images what no file tells (Prune and Merge), or reads
  /// large matrices. Throws Error: an unknown method, settings that it does not have or that do not
  /// suit the model, layer statistics of another one; Cancelled.
  PreparedMethod prepare(const MethodChoice& choice, const std::stop_token& stop = {}) const;

  /// `method` comes from this engine's prepare(). Every image gets what it would get alone, on the
  /// CPU to the last bit. Same input, settings, device and number of threads: same bits. May be
  /// called from several threads. Throws Error (input of another size or with NaN, out of memory, a
  /// method that loses tokens), Cancelled.
  std::vector<ImageResult> run(std::span<const InputTensor> images, const PreparedMethod& method,
                               const RunOptions& options = {},
                               const std::stop_token& stop = {}) const;
  /// For one run: run(images, prepare(choice, stop), ...).
  std::vector<ImageResult> run(std::span<const InputTensor> images, const MethodChoice& choice,
                               const RunOptions& options = {},
                               const std::stop_token& stop = {}) const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  /// Measured once, on synthetic images. Throws Cancelled.
  std::shared_ptr<const Importance> syntheticImportance(const std::stop_token& stop) const;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge
