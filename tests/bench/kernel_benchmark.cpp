// SPDX-License-Identifier: GPL-3.0-or-later
// Each kernel of the forward pass alone, on what one image of 224 x 224 gives it: 197 tokens of
// ViT-B/16 and ViT-Ti/16, in fp32 and bf16, on all cores. FLOP/s counts multiplications and
// additions.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "engine/device.h"
#include "kernels/attention.h"
#include "kernels/linear.h"
#include "kernels/matching_ops.h"
#include "kernels/rows.h"
#include "merging/apply.h"

namespace adamerge {
namespace {

constexpr std::int64_t kTokens = 197;
constexpr std::int64_t kPatches = kTokens - 1;
constexpr std::int64_t kMerged = 8;

struct Network {
  std::string name;
  std::int64_t dim;
  std::int64_t heads;
};

struct Precision {
  std::string name;
  at::ScalarType products;
  at::ScalarType decisions;  ///< see LayerTokens::deciding
};

/// What one call of a kernel does.
struct Work {
  double flops = 0;
  double bytes = 0;  ///< read and written at least
};

/// A kernel's operands live as long as `call`.
void add(const std::string& name, const Work& work, const std::function<void()>& call) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [work, call](benchmark::State& state) {
        const c10::InferenceMode guard;
        for (auto _ : state) call();
        const auto calls = static_cast<double>(state.iterations());
        if (work.flops > 0) {
          state.counters["FLOP/s"] =
              benchmark::Counter(work.flops * calls, benchmark::Counter::kIsRate);
        }
        if (work.bytes > 0) state.SetBytesProcessed(static_cast<std::int64_t>(work.bytes * calls));
      })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

double bytesOf(std::initializer_list<at::Tensor> tensors) {
  double bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<double>(tensor.nbytes());
  return bytes;
}

void addLinear(const std::string& name, std::int64_t in, std::int64_t out, at::ScalarType dtype,
               std::optional<Activation> activation) {
  const at::Tensor x = at::randn({kTokens, in}).to(dtype);
  // Results of a trained network's size: activations take other paths far from zero.
  const at::Tensor weight = at::randn({out, in}) / std::sqrt(static_cast<double>(in));
  const PackedLinear linear(weight.to(dtype), at::randn({out}).to(dtype));
  add(name, {.flops = 2.0 * kTokens * static_cast<double>(in * out)},
      [=] { benchmark::DoNotOptimize(linear(x, activation)); });
}

void addLayers(const Network& network, const Precision& precision) {
  const std::string end = "/" + network.name + "/" + precision.name;
  const std::int64_t dim = network.dim;
  const at::ScalarType dtype = precision.products;
  addLinear("qkv" + end, dim, 3 * dim, dtype, std::nullopt);
  addLinear("proj" + end, dim, dim, dtype, std::nullopt);
  addLinear("fc1+gelu" + end, dim, 4 * dim, dtype, Activation::kGelu);
  addLinear("fc2" + end, 4 * dim, dim, dtype, std::nullopt);

  const at::Tensor qkv = at::randn({kTokens, 3 * dim}).to(dtype);
  add("attention" + end, {.flops = 4.0 * kTokens * kTokens * static_cast<double>(dim)},
      [=, heads = network.heads] {
        const Segment segment{.tokens = kTokens};
        benchmark::DoNotOptimize(attention(qkv, heads, std::span(&segment, 1)));
      });

  const at::Tensor x = at::randn({kTokens, dim});
  const LayerNorm norm{at::randn({dim}), at::randn({dim}), 1e-6};
  add("layer norm" + end, {.bytes = bytesOf({x, x.to(dtype)})},
      [=] { benchmark::DoNotOptimize(layerNorm(x, norm, dtype)); });
}

void addMerging(const Network& network, const Precision& precision) {
  const std::string end = "/" + network.name + "/" + precision.name;
  const at::ScalarType dtype = precision.decisions;
  const auto dim = static_cast<double>(network.dim);
  const at::Tensor tokens = at::randn({kTokens, network.dim});
  const at::Tensor patches = tokens.narrow(0, 1, kPatches);
  add("gram" + end, {.flops = 2.0 * kPatches * kPatches * dim},
      [=] { benchmark::DoNotOptimize(gramMatrix(patches, dtype)); });

  const at::Tensor gram = gramMatrix(patches, dtype);
  add("softmax column sums" + end, {.bytes = bytesOf({gram})},
      [=] { benchmark::DoNotOptimize(softmaxColumnSums(gram, 1.0)); });

  const at::Tensor scores = gram.slice(0, 0, kPatches, 2).slice(1, 1, kPatches, 2);
  const at::Tensor factors = at::rand({kPatches / 2}).to(dtype);
  add("best products" + end, {.bytes = bytesOf({gram}) / 4},
      [=] { benchmark::DoNotOptimize(bestProducts(scores, factors, factors)); });

  MergePlan plan;
  for (std::int64_t i = 0; i < kTokens; ++i) {
    if (i == 0 || i > kMerged) plan.order.push_back(i);
  }
  for (std::int64_t i = 1; i <= kMerged; ++i) plan.merges.push_back({i, i + kMerged, 1});
  plan.weights.assign(kTokens, 1);
  const at::Tensor merged = at::empty({remainingTokens(plan, kTokens), network.dim});
  add("apply" + end, {.bytes = bytesOf({tokens, merged})}, [=] {
    applyToTokens(plan, tokens, merged);
    benchmark::ClobberMemory();
  });
}

const bool kKernelsRegistered = [] {
  at::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  for (const Network& network : {Network{"ViT-B", 768, 12}, Network{"ViT-Ti", 192, 3}}) {
    for (const Precision& precision : {Precision{"float32", at::kFloat, at::kDouble},
                                       Precision{"bfloat16", at::kBFloat16, at::kFloat}}) {
      addLayers(network, precision);
      addMerging(network, precision);
    }
  }
  return true;
}();

}  // namespace
}  // namespace adamerge
