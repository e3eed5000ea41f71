// SPDX-License-Identifier: GPL-3.0-or-later
// Running out of memory, played by a merging method that throws what LibTorch throws.
#include "engine/placed_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "error_message.h"
#include "model/load_model.h"

namespace adamerge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path kModelFolder =
    std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// ToMe on a machine that has memory for `limit` images at once; what is too much fails in the
/// second block.
class ShortOfMemory final : public ImageMethod {
 public:
  ShortOfMemory(const VitConfig& vit, std::size_t limit, std::function<void()> fail)
      : method_(findMethodEntry("tome").make(completeSettings({"tome", {}, nullptr, false}),
                                             {vit, nullptr})),
        limit_(limit),
        fail_(std::move(fail)) {}

  Stage stage() const override { return method_->stage(); }
  bool proportionalAttention() const override { return method_->proportionalAttention(); }
  MergePlan plan(const LayerTokens& layer) const override {
    {
      const std::lock_guard lock(mutex_);
      if (layer.block == 0 && block_ != 0) {
        images_ = 0;
        failed_ = false;
      }
      block_ = layer.block;
      if (block_ == 0) ++images_;
      if (block_ == 1 && images_ > limit_ && !std::exchange(failed_, true)) fail_();
    }
    return std::move(method_->plans({&layer, 1}).front());
  }

  void setLimit(std::size_t limit) { limit_ = limit; }
  void onFailure(std::function<void()> fail) { fail_ = std::move(fail); }

 private:
  std::unique_ptr<MergeMethod> method_;
  std::size_t limit_;
  std::function<void()> fail_;
  mutable std::mutex mutex_;
  mutable std::size_t images_ = 0;
  mutable int block_ = 0;
  mutable bool failed_ = false;  ///< once a run, though images are planned side by side
};

void failAsCuda() { C10_THROW_ERROR(OutOfMemoryError, "CUDA out of memory. Tried to allocate"); }
void failAsAllocator() {
  TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes");
}
void failAsCublas() {
  TORCH_CHECK(false, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)");
}
void failAsNew() { throw std::bad_alloc(); }

class PlacedModelTest : public testing::Test {
 protected:
  PlacedModel make(PlacedModel::Reload reload = nullptr) const {
    return {model_.info.vit, model_.weights, at::kCPU, at::kFloat, std::move(reload)};
  }
  /// Weights for the CPU, whose readings are counted.
  PlacedModel::Reload counted() {
    return [this](const std::stop_token&) {
      ++reloads_;
      return model_.weights;
    };
  }
  ShortOfMemory method(std::size_t limit, std::function<void()> fail = failAsCuda) const {
    return {model_.info.vit, limit, std::move(fail)};
  }
  at::Tensor images(std::int64_t count) const {
    const VitConfig& vit = model_.info.vit;
    const at::Tensor all = at::arange(count * 3 * vit.input_height * vit.input_width, at::kFloat);
    return (all * 0.37).sin().reshape({count, 3, vit.input_height, vit.input_width});
  }
  static PlacedModel::Output run(const PlacedModel& vit, const at::Tensor& images,
                                 const MergeMethod& method, const std::stop_token& stop = {}) {
    const auto part = [&](std::int64_t first, std::int64_t count) {
      return images.narrow(0, first, count);
    };
    return vit.forward(images.size(0), part, method, {}, {.trace = false}, stop);
  }
  /// Logits and token counts of a run that nothing disturbs.
  void expectUndisturbed(const PlacedModel::Output& output, const at::Tensor& images) const {
    const PlacedModel::Output expected = run(make(), images, method(kNoLimit));
    EXPECT_TRUE(output.logits.equal(expected.logits));
    ASSERT_EQ(output.images.size(), expected.images.size());
    for (std::size_t i = 0; i < output.images.size(); ++i) {
      EXPECT_EQ(output.images[i].tokens(), expected.images[i].tokens());
      EXPECT_EQ(output.images[i].sizes(), expected.images[i].sizes());
    }
  }

  const LoadedModel model_ = loadModel(kModelFolder);
  std::atomic<int> reloads_ = 0;
};

TEST_F(PlacedModelTest, UndisturbedRunsWarnOfNothing) {
  const PlacedModel vit = make();
  const PlacedModel::Output output = run(vit, images(3), method(kNoLimit));
  EXPECT_EQ(output.warning, "");
  EXPECT_EQ(output.images.size(), 3U);
}

TEST_F(PlacedModelTest, SmallerBatchesGiveTheSameBits) {
  const at::Tensor batch = images(7);
  for (const auto& fail : {failAsCuda, failAsAllocator, failAsCublas, failAsNew}) {
    const PlacedModel vit = make(counted());
    const PlacedModel::Output output = run(vit, batch, method(2, fail));
    EXPECT_THAT(output.warning, AllOf(HasSubstr("cpu"), HasSubstr("parts")));
    expectUndisturbed(output, batch);
  }
  EXPECT_EQ(reloads_, 0);
}

TEST_F(PlacedModelTest, InputsThatDoNotFitAreDividedToo) {
  const PlacedModel vit = make();
  const at::Tensor batch = images(5);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    if (count > 2) failAsAllocator();
    return batch.narrow(0, first, count);
  };
  const PlacedModel::Output output = vit.forward(5, part, method(kNoLimit), {}, {.trace = false});
  EXPECT_THAT(output.warning, HasSubstr("parts"));
  expectUndisturbed(output, batch);
}

TEST_F(PlacedModelTest, LaterBatchesBeginWithWhatFitted) {
  const PlacedModel vit = make();
  int failures = 0;
  ShortOfMemory method = this->method(2, [&] {
    ++failures;
    failAsCuda();
  });
  run(vit, images(4), method);
  const int learning = failures;
  EXPECT_GT(learning, 0);
  EXPECT_NE(run(vit, images(4), method).warning, "");
  EXPECT_EQ(failures, learning);
  // What fits is not divided, so there is nothing to tell.
  EXPECT_EQ(run(vit, images(2), method).warning, "");
}

TEST_F(PlacedModelTest, WithoutMemoryForOneImageTheCpuGoesOn) {
  const PlacedModel vit = make(counted());
  const at::Tensor batch = images(4);
  ShortOfMemory method = this->method(0);
  // The GPU fails with four, two and one; then there is memory, on the CPU.
  int failures = 0;
  method.onFailure([&] {
    if (++failures == 3) method.setLimit(kNoLimit);
    failAsCuda();
  });
  const PlacedModel::Output output = run(vit, batch, method);
  EXPECT_EQ(failures, 3);
  EXPECT_THAT(output.warning,
              AllOf(HasSubstr("one image"), HasSubstr("CPU"), HasSubstr("float32")));
  expectUndisturbed(output, batch);
  EXPECT_EQ(run(vit, batch, method).warning, output.warning);
  EXPECT_EQ(reloads_, 1);
}

TEST_F(PlacedModelTest, OneImageTooManyForTheCpuIsAnError) {
  for (const bool gpu : {false, true}) {
    const PlacedModel vit = make(gpu ? counted() : nullptr);
    const auto message = [&] {
      return test::errorMessage([&] { run(vit, images(2), method(0, failAsNew)); });
    };
    EXPECT_THAT(message(), AllOf(HasSubstr("single image"), HasSubstr("smaller model")));
    // Not for good: memory may be freed.
    EXPECT_EQ(run(vit, images(1), method(1)).images.size(), 1U);
  }
  EXPECT_EQ(reloads_, 1);
}

TEST_F(PlacedModelTest, OtherFaultsAreToldAtOnce) {
  const PlacedModel vit = make(counted());
  int failures = 0;
  const ShortOfMemory method = this->method(0, [&] {
    ++failures;
    TORCH_CHECK(false, "mat1 and mat2 shapes cannot be multiplied");
  });
  EXPECT_THAT(test::errorMessage([&] { run(vit, images(1), method); }),
              AllOf(HasSubstr("LibTorch"), HasSubstr("shapes")));
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(reloads_, 0);
}

TEST_F(PlacedModelTest, AStopRequestEndsTheSearch) {
  const PlacedModel vit = make(counted());
  std::stop_source stop;
  const ShortOfMemory method = this->method(1, [&] {
    stop.request_stop();
    failAsCuda();
  });
  EXPECT_THROW(run(vit, images(4), method, stop.get_token()), Cancelled);
}

TEST_F(PlacedModelTest, WeightsThatDoNotComeBackAreTold) {
  const PlacedModel vit = make(
      [](const std::stop_token&) -> StateDict { throw Error("model.safetensors: no such file"); });
  EXPECT_THAT(test::errorMessage([&] { run(vit, images(1), method(0)); }),
              HasSubstr("no such file"));
}

/// `work` in a thread of its own, of which nobody has to wait for the end.
template <typename Work>
std::future_status statusAfter(std::chrono::milliseconds time, const Work& work) {
  auto task = std::make_shared<std::packaged_task<void()>>(work);
  std::future<void> done = task->get_future();
  std::thread([task] { (*task)(); }).detach();
  return done.wait_for(time);
}

TEST_F(PlacedModelTest, TellsItsDeviceWhileTheWeightsAreRead) {
  const PlacedModel* placed = nullptr;
  std::future_status told = std::future_status::deferred;
  const PlacedModel vit = make([&](const std::stop_token&) {
    told = statusAfter(std::chrono::seconds(5), [placed] {
      placed->device();
      placed->dtype();
    });
    return model_.weights;
  });
  placed = &vit;
  ShortOfMemory method = this->method(0);
  int failures = 0;
  method.onFailure([&] {
    if (++failures == 2) method.setLimit(kNoLimit);
    failAsCuda();
  });
  run(vit, images(2), method);
  EXPECT_EQ(told, std::future_status::ready);
}

TEST_F(PlacedModelTest, WaitingForAnotherThreadsMoveCanBeStopped) {
  std::atomic<bool> reading = false;
  std::atomic<bool> cancelled = false;
  const PlacedModel vit = make([&](const std::stop_token&) {
    reading = true;
    for (int i = 0; i < 500 && !cancelled; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return model_.weights;
  });
  const at::Tensor image = images(1);
  const std::jthread first([&] {
    ShortOfMemory method = this->method(0);
    method.onFailure([&] {
      method.setLimit(kNoLimit);
      failAsCuda();
    });
    run(vit, image, method);
  });
  std::stop_source stop;
  ShortOfMemory method = this->method(0);
  method.onFailure([&] {
    while (!reading) std::this_thread::yield();
    stop.request_stop();
    failAsCuda();
  });
  EXPECT_THROW(run(vit, image, method, stop.get_token()), Cancelled);
  EXPECT_TRUE(reading);
  cancelled = true;
}

TEST_F(PlacedModelTest, ThreadsMoveToTheCpuTogether) {
  const PlacedModel vit = make(counted());
  const at::Tensor batch = images(2);
  std::vector<PlacedModel::Output> outputs(3);
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (PlacedModel::Output& output : outputs) {
      threads.emplace_back([&] {
        // Each thread's first attempts fail, whatever the others have learnt meanwhile.
        ShortOfMemory method = this->method(0);
        method.onFailure([&] {
          if (reloads_ > 0) {
            method.setLimit(kNoLimit);
            return;
          }
          ++failures;
          failAsCuda();
        });
        output = run(vit, batch, method);
      });
    }
  }
  for (const PlacedModel::Output& output : outputs) expectUndisturbed(output, batch);
  EXPECT_GE(failures, 2);
  EXPECT_EQ(reloads_, 1);
}

}  // namespace
}  // namespace adamerge
