// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/placed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "engine/device.h"
#include "kernels/cpu/isa.h"

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

/// Most CPUs have no arithmetic for either half precision, and fp32 holds all their values.
at::ScalarType onCpu(at::ScalarType dtype) {
  const bool slow =
      dtype == at::kHalf || (dtype == at::kBFloat16 && !multipliesBFloat16(bestIsa()));
  return slow ? at::kFloat : dtype;
}

}  // namespace

std::unique_lock<std::timed_mutex> lockUnlessStopped(std::timed_mutex& mutex,
                                                     const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kBetweenLooks{20};
  std::unique_lock lock(mutex, std::defer_lock);
  while (!lock.try_lock_for(kBetweenLooks)) throwIfStopped(stop);
  return lock;
}

std::shared_ptr<const VisionTransformer> AdaptedNetwork::of(
    const std::shared_ptr<const VisionTransformer>& network, const MergeMethod& method) const {
  const std::span<const at::Tensor> changes = method.qkvChanges();
  if (changes.empty()) return network;
  const std::lock_guard lock(mutex_);
  if (adapted_ == nullptr || original_.lock() != network) {
    adapted_.reset();  // two of them may be more than memory holds
    adapted_ = std::make_shared<const VisionTransformer>(network->withQkv(changes));
    original_ = network;
  }
  return adapted_;
}

PlacedModel::PlacedModel(const VitConfig& config, const StateDict& weights, at::Device device,
                         at::ScalarType dtype, Reload reload)
    : config_(config),
      device_(device),
      dtype_(dtype),
      reload_(std::move(reload)),
      placement_{placed(weights, device, dtype), kNoLimit} {
  if (placement_.network == nullptr && reload_) {
    placement_ = {placedOnCpu(weights), kNoLimit, /*moved=*/true};
  }
  if (placement_.network == nullptr) {
    throw Error(fmt::format("not enough memory on {} for this model's weights in {}",
                            deviceId(device), dtypeName(dtype)));
  }
}

std::shared_ptr<const VisionTransformer> PlacedModel::placed(const StateDict& weights,
                                                             at::Device device,
                                                             at::ScalarType dtype) const {
  return unlessOutOfMemory([&] {
           return std::make_shared<const VisionTransformer>(config_, weights, device, dtype);
         })
      .value_or(nullptr);
}

std::shared_ptr<const VisionTransformer> PlacedModel::placedOnCpu(const StateDict& weights) const {
  return placed(weights, at::kCPU, onCpu(dtype_));
}

at::Device PlacedModel::device() const { return placement().network->device(); }
at::ScalarType PlacedModel::dtype() const { return placement().network->dtype(); }

PlacedModel::Placement PlacedModel::placement() const {
  const std::lock_guard lock(mutex_);
  return placement_;
}

void PlacedModel::stepDown(const Placement& failed, std::int64_t part,
                           const std::stop_token& stop) const {
  {
    const std::lock_guard lock(mutex_);
    // Another thread's batch may have failed meanwhile.
    if (placement_.network != failed.network || placement_.largest < part) return;
    if (part > 1) {
      placement_.largest = part / 2;
      return;
    }
  }
  moveToCpu(failed, stop);
}

void PlacedModel::moveToCpu(const Placement& failed, const std::stop_token& stop) const {
  const auto moving = lockUnlessStopped(moving_, stop);
  if (placement().network != failed.network) return;
  if (reload_ && !failed.moved) {
    const std::optional<StateDict> weights = unlessOutOfMemory([&] { return reload_(stop); });
    if (auto network = weights ? placedOnCpu(*weights) : nullptr) {
      const std::lock_guard lock(mutex_);
      placement_ = {std::move(network), kNoLimit, /*moved=*/true};
      return;
    }
  }
  throw Error(
      "not enough memory for a single image; close other programs, or use a smaller model or "
      "input");
}

std::string PlacedModel::warningAbout(const Placement& placement, std::int64_t images) const {
  if (placement.moved) {
    return fmt::format("{} has too little memory even for one image: the CPU ran it, in {}",
                       deviceId(device_), dtypeName(placement.network->dtype()));
  }
  if (images <= placement.largest) return {};
  return fmt::format("{} has too little memory for so many images at once: they ran in parts",
                     deviceId(device_));
}

PlacedModel::Output PlacedModel::forward(std::int64_t count, const Images& images,
                                         const MergeMethod& method, const AdaptedNetwork& adapted,
                                         const VisionTransformer::Options& options,
                                         const std::stop_token& stop) const {
  Output output;
  std::vector<at::Tensor> logits;
  std::vector<at::Tensor> embeddings;
  for (std::int64_t done = 0; done < count;) {
    const Placement now = placement();
    const std::int64_t part = std::min(now.largest, count - done);
    std::shared_ptr<const VisionTransformer> network;
    auto result = unlessOutOfMemory([&] {
      network = adapted.of(now.network, method);
      VisionTransformer::Options own = options;
      if (!own.places.empty()) {
        own.places =
            own.places.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(part));
      }
      return network->forward(images(done, part), method, own, stop);
    });
    if (!result) {
      stepDown(now, part, stop);
      continue;
    }
    logits.push_back(result->logits);
    embeddings.push_back(result->embedding);
    std::move(result->features.begin(), result->features.end(),
              std::back_inserter(output.features));
    const std::size_t before = output.classes.size();
    for (ClassMap& map : result->classes) {
      output.classes.push_back(std::make_shared<const ClassMap>(std::move(map)));
    }
    std::move(result->fields.begin(), result->fields.end(), std::back_inserter(output.fields));
    std::move(result->images.begin(), result->images.end(), std::back_inserter(output.images));
    for (std::size_t i = 0; i < result->records.size(); ++i) {
      std::vector<BlockRecord>& blocks = result->records[i];
      auto state = std::make_unique<Recording::State>();
      state->network = network;
      state->blocks = std::move(blocks);
      state->position = options.position;
      if (!result->classes.empty()) state->classes = output.classes[before + i];
      state->proportional = method.proportionalAttention();
      output.recordings.push_back(std::make_shared<const Recording>(std::move(state)));
    }
    if (std::string warning = warningAbout(now, count); !warning.empty()) {
      output.warning = std::move(warning);
    }
    done += part;
  }
  output.logits = logits.size() == 1 ? logits.front() : at::cat(logits);
  output.embedding = embeddings.size() == 1 ? embeddings.front() : at::cat(embeddings);
  return output;
}

}  // namespace adamerge
