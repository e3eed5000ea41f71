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

#include "adamerge/flops.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/progress.h"
#include "adamerge/result.h"
#include "adamerge/statistics.h"

namespace adamerge {

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
  /// float32, bfloat16, float16 (CUDA only), float64, or auto, the fastest that the device has
  /// arithmetic for: bfloat16 on a CPU with AMX and on CUDA from compute capability 8, float16 from
  /// 7, else float32.
  std::string dtype = "auto";
  int threads = 0;  ///< 0: as many as the machine has cores; process-wide in LibTorch
  std::optional<InputSize> input_size = std::nullopt;  ///< overrides the model's
};

struct RunOptions {
  bool trace = true;      ///< record salience, groups and merges of every block
  bool features = false;  ///< hand out the final tokens, for patchCosine()
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
  /// May be called while other threads run the engine; runs begun before keep those they have.
  void setStatistics(std::shared_ptr<const Statistics> statistics);

  /// Every image gets what it would get alone, on the CPU to the last bit. Same input, settings,
  /// device and number of threads: same bits. May be called from several threads. Throws Error
  /// (settings, input of another size or with NaN, out of memory), Cancelled.
  std::vector<ImageResult> run(std::span<const InputTensor> images, const MethodChoice& choice,
                               const RunOptions& options = {},
                               const std::stop_token& stop = {}) const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adamerge
