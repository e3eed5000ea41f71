// SPDX-License-Identifier: GPL-3.0-or-later
// One forward pass of the bundled model under every registered method, traced and not.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "adamerge/engine.h"

namespace adamerge {
namespace {

const Engine& bundledEngine() {
  static const Engine engine =
      Engine::load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10", {.device = "cpu"});
  return engine;
}

void forward(benchmark::State& state, const std::string& method, std::int64_t batch, bool trace) {
  const Engine& engine = bundledEngine();
  const VitConfig& vit = engine.info().vit;
  InputTensor input{vit.input_height, vit.input_width, {}};
  for (int i = 0; i < 3 * vit.input_height * vit.input_width; ++i) {
    input.values.push_back(static_cast<float>(i * 37 % 255) / 127.5F - 1.0F);
  }
  const std::vector<InputTensor> inputs(static_cast<std::size_t>(batch), input);
  for (auto _ : state) {
    benchmark::DoNotOptimize(engine.run(inputs, {method, {}, nullptr, false}, {.trace = trace}));
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

const bool kEnginesRegistered = [] {
  for (const MethodInfo& method : methods()) {
    for (const std::int64_t batch : {1, 8}) {
      for (const bool trace : {false, true}) {
        const std::string name =
            "forward/" + method.id + "/batch:" + std::to_string(batch) + (trace ? "/traced" : "");
        benchmark::RegisterBenchmark(name.c_str(), forward, method.id, batch, trace)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace adamerge
