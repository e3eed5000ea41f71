// SPDX-License-Identifier: GPL-3.0-or-later
// The network on its device. It goes on where memory runs out: with smaller batches, then, from a
// GPU, on the CPU; what it has learnt holds for the batches that follow.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "engine/vit.h"
#include "merging/method.h"

namespace adamerge {

/// Locks `mutex`, which somebody else may hold for long. Throws Cancelled once `stop` is asked for.
std::unique_lock<std::timed_mutex> lockUnlessStopped(std::timed_mutex& mutex,
                                                     const std::stop_token& stop);

/// The network as a method runs it that changes weights: made when it first runs, once for each
/// network that is at work. May be shared by threads.
class AdaptedNetwork {
 public:
  /// `network` itself where `method` changes nothing.
  std::shared_ptr<const VisionTransformer> of(
      const std::shared_ptr<const VisionTransformer>& network, const MergeMethod& method) const;

 private:
  mutable std::mutex mutex_;
  mutable std::weak_ptr<const VisionTransformer> original_;
  mutable std::shared_ptr<const VisionTransformer> adapted_;
};

class PlacedModel {
 public:
  /// Reads the model's weights once more.
  using Reload = std::function<StateDict(const std::stop_token&)>;

  /// A VisionTransformer's arguments, and what the CPU's weights come from where `device` has no
  /// memory for one image; empty: no other device is tried. Throws Error where there is no memory
  /// for the weights.
  PlacedModel(const VitConfig& config, const StateDict& weights, at::Device device,
              at::ScalarType dtype, Reload reload);

  struct Output {
    at::Tensor logits;  ///< as VisionTransformer's
    at::Tensor embedding;
    std::vector<ImageState> images;
    std::vector<at::Tensor> features;
    std::vector<std::shared_ptr<const ClassMap>> classes;  ///< as VisionTransformer's
    std::vector<at::Tensor> fields;
    /// One an image, where Options::record asked for it.
    std::vector<std::shared_ptr<const Recording>> recordings;
    std::string warning;  ///< a sentence; empty: all ran as asked for
  };

  /// Makes [count, 3, H, W] fp32 of the images from `first` on.
  using Images = std::function<at::Tensor(std::int64_t first, std::int64_t count)>;

  /// As VisionTransformer's, for `count` images. Throws Error: no memory for one image, anything
  /// else that LibTorch reports; Cancelled. May be called from several threads.
  /// `adapted` belongs to `method`.
  Output forward(std::int64_t count, const Images& images, const MergeMethod& method,
                 const AdaptedNetwork& adapted, const VisionTransformer::Options& options,
                 const std::stop_token& stop = {}) const;

  /// Of the network that runs at present. Both return at once, also while it moves to the CPU.
  at::Device device() const;
  at::ScalarType dtype() const;

 private:
  /// How batches are run at present.
  struct Placement {
    std::shared_ptr<const VisionTransformer> network;
    std::int64_t largest;  ///< images at once
    bool moved = false;    ///< to the CPU
  };

  /// nullptr: no memory for the weights there.
  std::shared_ptr<const VisionTransformer> placed(const StateDict& weights, at::Device device,
                                                  at::ScalarType dtype) const;
  std::shared_ptr<const VisionTransformer> placedOnCpu(const StateDict& weights) const;
  Placement placement() const;
  /// After `failed` had no memory for `part` images: what is tried next. Throws Error where nothing
  /// is left.
  void stepDown(const Placement& failed, std::int64_t part, const std::stop_token& stop) const;
  /// Reads the weights once more, however many threads ask for it.
  void moveToCpu(const Placement& failed, const std::stop_token& stop) const;
  std::string warningAbout(const Placement& placement, std::int64_t images) const;

  VitConfig config_;
  at::Device device_;
  at::ScalarType dtype_;
  Reload reload_;
  mutable std::timed_mutex moving_;  ///< held while the weights are read again
  mutable std::mutex mutex_;         ///< of what follows; never held for long
  mutable Placement placement_;
};

struct PreparedMethod::State {
  MethodChoice choice;  ///< with every setting in force
  std::unique_ptr<const MergeMethod> method;
  AdaptedNetwork adapted;  ///< to `method`
  TokenPosition position = TokenPosition::kCentroid;
  Unmerge unmerge = Unmerge::kCopy;
  bool rotated_keys = false;          ///< what is matched is taken after the rotation
  std::vector<std::string> warnings;  ///< that each image's result repeats
  /// Belongs to the engine that made it. Lives as long as anything of that engine's does, so that
  /// no other one is taken for it.
  std::shared_ptr<const int> engine;
};

}  // namespace adamerge
