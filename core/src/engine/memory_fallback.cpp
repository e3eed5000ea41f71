// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/memory_fallback.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "engine/device.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// Only CUDA's caching allocator has a type of its own for it; the CPU's allocators, cudaMalloc
/// elsewhere, cuBLAS and cuDNN say it in words.
bool isOutOfMemory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  constexpr std::array<std::string_view, 4> kWords{"out of memory", "can't allocate memory",
                                                   "not enough memory", "STATUS_ALLOC_FAILED"};
  const std::string message = error.what_without_backtrace();
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view words) {
    return message.find(words) != std::string::npos;
  });
}

/// What `work` gives; nothing where memory ran out. By the time it returns, all that `work` held is
/// freed.
template <typename Work>
auto unlessOutOfMemory(const Work& work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const c10::Error& error) {
    if (!isOutOfMemory(error)) {
      throw Error(
          fmt::format("LibTorch could not run the model: {}", error.what_without_backtrace()));
    }
  } catch (const std::bad_alloc&) {
    // Told by the empty result.
  }
  return std::nullopt;
}

/// The CPU has no arithmetic in fp16, mostly none in bf16, and fp32 holds all their values.
at::ScalarType onCpu(at::ScalarType dtype) {
  const bool slow = dtype == at::kHalf || (dtype == at::kBFloat16 && halfKernels() == nullptr);
  return slow ? at::kFloat : dtype;
}

}  // namespace

MemoryFallback::MemoryFallback(const VitConfig& config, const StateDict& weights, at::Device device,
                               at::ScalarType dtype, Reload reload)
    : config_(config),
      device_(device),
      dtype_(dtype),
      reload_(std::move(reload)),
      course_{placed(weights, device, dtype), kNoLimit} {
  if (course_.model == nullptr && reload_) moveToCpu(weights);
  if (course_.model == nullptr) {
    throw Error(fmt::format("not enough memory on {} for this model's weights in {}",
                            deviceId(device), dtypeName(dtype)));
  }
}

std::shared_ptr<const VisionTransformer> MemoryFallback::placed(const StateDict& weights,
                                                                at::Device device,
                                                                at::ScalarType dtype) const {
  return unlessOutOfMemory([&] {
           return std::make_shared<const VisionTransformer>(config_, weights, device, dtype);
         })
      .value_or(nullptr);
}

void MemoryFallback::moveToCpu(const StateDict& weights) const {
  course_ = {placed(weights, at::kCPU, onCpu(dtype_)), kNoLimit, /*moved=*/true};
}

at::Device MemoryFallback::device() const { return course().model->device(); }
at::ScalarType MemoryFallback::dtype() const { return course().model->dtype(); }

MemoryFallback::Course MemoryFallback::course() const {
  const std::lock_guard lock(mutex_);
  return course_;
}

void MemoryFallback::stepDown(const Course& failed, std::int64_t part,
                              const std::stop_token& stop) const {
  const std::lock_guard lock(mutex_);
  // Another thread's batch may have failed meanwhile.
  if (course_.model != failed.model || course_.largest < part) return;
  if (part > 1) {
    course_.largest = part / 2;
    return;
  }
  const Course before = course_;
  if (reload_ && !course_.moved) {
    const std::optional<StateDict> weights = unlessOutOfMemory([&] { return reload_(stop); });
    if (weights) moveToCpu(*weights);
    if (weights && course_.model != nullptr) return;
    course_ = before;
  }
  throw Error(
      "not enough memory for a single image; close other programs, or use a smaller model or "
      "input");
}

std::string MemoryFallback::warningAbout(const Course& course, std::int64_t images) const {
  if (course.moved) {
    return fmt::format("{} has too little memory even for one image: the CPU ran it, in {}",
                       deviceId(device_), dtypeName(course.model->dtype()));
  }
  if (images <= course.largest) return {};
  return fmt::format("{} has too little memory for so many images at once: they ran in parts",
                     deviceId(device_));
}

MemoryFallback::Output MemoryFallback::forward(std::int64_t count, const Images& images,
                                               const MergeMethod& method, bool trace,
                                               const std::stop_token& stop) const {
  Output output;
  std::vector<at::Tensor> logits;
  for (std::int64_t done = 0; done < count;) {
    const Course now = course();
    const std::int64_t part = std::min(now.largest, count - done);
    auto result = unlessOutOfMemory(
        [&] { return now.model->forward(images(done, part), method, trace, stop); });
    if (!result) {
      stepDown(now, part, stop);
      continue;
    }
    logits.push_back(result->logits);
    std::move(result->images.begin(), result->images.end(), std::back_inserter(output.images));
    if (std::string warning = warningAbout(now, count); !warning.empty()) {
      output.warning = std::move(warning);
    }
    done += part;
  }
  output.logits = logits.size() == 1 ? logits.front() : at::cat(logits);
  return output;
}

}  // namespace adamerge
