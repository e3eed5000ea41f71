// SPDX-License-Identifier: GPL-3.0-or-later
// The engine as a library for bench.py, which loads it into the process that PyTorch runs in: both
// then share LibTorch with its settings, memory and profiler. Structures are JSON text. What fails
// returns null, and adamerge_error() says why.
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "adamerge/calibrate.h"
#include "adamerge/engine.h"
#include "engine/vit.h"
#include "model/load_model.h"
#include "support/json.h"

namespace adamerge {
namespace {

using nlohmann::json;

at::ScalarType typeNamed(const std::string& name) {
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float64") return at::kDouble;
  return at::kFloat;
}

/// {"method": "tome", "r": 8}
MethodChoice choiceOf(const std::string& text) {
  MethodChoice choice;
  for (const auto& [key, value] : json::parse(text).items()) {
    if (key == "method") {
      choice.method = value.get<std::string>();
    } else {
      choice.settings[key] = settingFromJson(value).value();
    }
  }
  return choice;
}

/// Another method, whose decisions are timed. What the device still has to do before is waited for
/// first, so a run takes longer, and only the share of its time is of use.
class TimedMethod final : public MergeMethod {
 public:
  explicit TimedMethod(const MergeMethod& method) : method_(method) {}
  Stage stage() const override { return method_.stage(); }
  bool proportionalAttention() const override { return method_.proportionalAttention(); }
  bool actsIn(int block) const override { return method_.actsIn(block); }
  WantedStatistics wanted(int block) const override { return method_.wanted(block); }
  std::unique_ptr<MethodMemory> newMemory() const override { return method_.newMemory(); }
  double milliseconds() const { return milliseconds_; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    const auto start = begin(images.front());
    std::vector<MergePlan> plans = method_.plans(images);
    note(start);
    return plans;
  }
  using Clock = std::chrono::steady_clock;
  static Clock::time_point begin(const LayerTokens& layer) {
    if (!layer.tokens.is_cpu()) layer.tokens.flatten()[0].item();
    return Clock::now();
  }
  void note(Clock::time_point start) const {
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    const std::lock_guard lock(mutex_);
    milliseconds_ += took.count();
  }

  const MergeMethod& method_;
  mutable std::mutex mutex_;
  mutable double milliseconds_ = 0;
};

/// One model at one precision: the network, for images that are on the device already, and the
/// engine, for those that are not.
struct Session {
  Session(const std::string& folder, const std::string& device, const std::string& dtype,
          int threads)
      : engine(Engine::load(folder, {.device = device, .dtype = dtype, .threads = threads})),
        place(device == "cuda" ? "cuda:0" : device) {
    const LoadedModel model = loadModel(folder);
    vit =
        std::make_unique<VisionTransformer>(model.info.vit, model.weights, place, typeNamed(dtype));
  }

  std::unique_ptr<MergeMethod> method(const std::string& text) const {
    const MethodChoice choice = choiceOf(text);
    return findMethodEntry(choice.method)
        .make(completeSettings(choice), {vit->config(), engine.statistics().get()});
  }
  at::Tensor batch(float* images, std::int64_t count) const {
    const VitConfig& config = vit->config();
    return at::from_blob(images, {count, 3, config.input_height, config.input_width},
                         at::TensorOptions(at::kFloat).device(place));
  }

  Engine engine;
  at::Device place;
  std::unique_ptr<VisionTransformer> vit;
  std::vector<InputTensor> inputs;
};

thread_local std::string answer;
thread_local std::string problem;

/// What `work` gives as text, nullptr where it fails.
template <class Work>
const char* answered(const Work& work) {
  try {
    answer = work().dump();
    return answer.c_str();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  return nullptr;
}

}  // namespace
}  // namespace adamerge

using namespace adamerge;

extern "C" {

const char* adamerge_error() { return problem.c_str(); }

void* adamerge_open(const char* folder, const char* device, const char* dtype, int threads) {
  try {
    return new Session(folder, device, dtype, threads);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  return nullptr;
}
void adamerge_close(void* session) { delete static_cast<Session*>(session); }

/// Keeps [count, 3, H, W] of the computer's memory for adamerge_run() and adamerge_match().
const char* adamerge_images(void* session, const float* values, int count) {
  return answered([&] {
    auto& own = *static_cast<Session*>(session);
    const VitConfig& config = own.vit->config();
    const std::size_t size = static_cast<std::size_t>(3) * config.input_height * config.input_width;
    own.inputs.clear();
    for (int i = 0; i < count; ++i, values += size) {
      own.inputs.push_back({config.input_height, config.input_width, {values, values + size}});
    }
    return json(count);
  });
}

/// The network on `images` [count, 3, H, W] fp32, which lie on the device; `logits` [count,
/// classes] on the computer, may be null. {"flops": G, the paper's, mean}, and with `timed`
/// "deciding" and "total" in milliseconds.
const char* adamerge_forward(void* session, const char* choice, float* images, int count,
                             float* logits, int timed) {
  return answered([&] {
    const auto& own = *static_cast<Session*>(session);
    const auto method = own.method(choice);
    const TimedMethod clock(*method);
    const auto start = std::chrono::steady_clock::now();
    const VisionTransformer::Output output =
        own.vit->forward(own.batch(images, count), timed != 0 ? clock : *method, {.trace = false});
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    const at::Tensor rows = output.logits.contiguous();
    if (logits != nullptr) std::copy_n(rows.data_ptr<float>(), rows.numel(), logits);
    double flops = 0;
    for (const ImageState& image : output.images) {
      flops += countFlops(own.vit->config(), image.work()).paper / count;
    }
    json result{{"flops", flops}};
    if (timed != 0) result.update({{"deciding", clock.milliseconds()}, {"total", took.count()}});
    return result;
  });
}

/// The engine on the first `count` of adamerge_images(), from the computer's memory and back. The
/// warnings.
const char* adamerge_run(void* session, const char* choice, int count, float* logits) {
  return answered([&] {
    const auto& own = *static_cast<Session*>(session);
    const auto results =
        own.engine.run(std::span(own.inputs).first(static_cast<std::size_t>(count)),
                       choiceOf(choice), {.trace = false});
    for (const ImageResult& result : results) {
      if (logits == nullptr) break;
      logits = std::copy(result.logits.begin(), result.logits.end(), logits);
    }
    return json{{"warnings", results.front().warnings}, {"device", own.engine.device()}};
  });
}

/// The choice whose FLOPs come nearest to `flops` (G), of `method`; layer statistics are made of
/// the images where it needs them.
const char* adamerge_match(void* session, const char* method, double flops) {
  return answered([&] {
    auto& own = *static_cast<Session*>(session);
    const MethodChoice choice{method, {}, nullptr, false};
    if (usesStatistics(choice) && own.engine.statistics() == nullptr) {
      CalibrationOptions options;
      for (int r_max = 4; r_max <= 64; r_max *= 2) options.r_max.push_back(r_max);
      const auto source = [&](std::size_t first, std::size_t count) {
        const auto begin = own.inputs.begin() + static_cast<std::ptrdiff_t>(first);
        return std::vector<InputTensor>(begin, begin + static_cast<std::ptrdiff_t>(count));
      };
      own.engine.setStatistics(std::make_shared<const Statistics>(
          calibrate(own.engine, source, own.inputs.size(), options)));
    }
    const SchedulePoint point = matchFlops(own.engine, own.inputs, choice, flops);
    return json{{"method", method}, {point.key, point.value}};
  });
}

}  // extern "C"
