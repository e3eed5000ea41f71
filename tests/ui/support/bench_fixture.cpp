// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_fixture.h"

#include <array>

namespace adamerge::ui::test {

bool waitUntil(const std::function<bool()>& condition) {
  return QTest::qWaitFor(condition, 30'000);
}

std::filesystem::path bundledModelPath() {
  return std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
}

bool start(Workbench& bench, bool sweeps, const std::string& sample) {
  bench.sweeper().setEnabled(sweeps);
  bench.models().load(bundledModelPath(), {.dtype = "float32"});
  bench.pictures().open(samplePath(sample));
  return waitUntil([&] { return bench.settled(); });
}

MethodChoice choiceOf(const std::string& method, Settings settings) {
  return {method, std::move(settings), nullptr, false};
}

ImageResult directRun(const MethodChoice& choice, const std::string& sample,
                      const std::string& dtype) {
  EngineOptions options;
  options.dtype = dtype;
  static std::map<std::string, std::shared_ptr<Engine>> engines;
  std::shared_ptr<Engine>& engine = engines[dtype];
  if (engine == nullptr) {
    engine = std::make_shared<Engine>(Engine::load(bundledModelPath(), options));
  }
  const PreparedImage prepared =
      prepareImage(loadImage(samplePath(sample)), engine->info().preprocessing);
  const std::array<InputTensor, 1> input{prepared.input};
  return engine->run(input, choice).front();
}

bool sameResult(const ImageResult& a, const ImageResult& b) {
  if (a.logits != b.logits || a.flops.paper != b.flops.paper ||
      a.layers.size() != b.layers.size()) {
    return false;
  }
  const auto same_merge = [](const GroupMerge& x, const GroupMerge& y) {
    return x.source == y.source && x.destination == y.destination && x.similarity == y.similarity;
  };
  for (std::size_t block = 0; block < a.layers.size(); ++block) {
    const LayerTrace& x = a.layers[block];
    const LayerTrace& y = b.layers[block];
    if (x.groups != y.groups || x.salience != y.salience || x.attention != y.attention ||
        x.z != y.z || x.mu != y.mu ||
        !std::equal(x.merges.begin(), x.merges.end(), y.merges.begin(), y.merges.end(),
                    same_merge)) {
      return false;
    }
  }
  return true;
}

}  // namespace adamerge::ui::test
