// SPDX-License-Identifier: GPL-3.0-or-later
// What every run of a picture needs, computed once per picture and model: the network's input and
// the unmerged model's result.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <stop_token>

#include "adamerge/engine.h"
#include "state/inspection.h"

namespace adamerge::ui {

/// Used on the worker's thread only, by everything that runs there.
class PictureInputs {
 public:
  std::shared_ptr<const PreparedImage> prepared(const LoadedModel& model, const Picture& picture);
  /// The unmerged model, traced. Throws what Engine::run throws.
  std::shared_ptr<const ImageResult> baseline(const Engine& engine, const LoadedModel& model,
                                              const Picture& picture, const std::stop_token& stop);

 private:
  struct Entry {
    std::uint64_t model = 0;
    std::uint64_t picture = 0;
    std::shared_ptr<const PreparedImage> prepared;
    std::shared_ptr<const ImageResult> baseline;
  };
  Entry& entry(const LoadedModel& model, const Picture& picture);

  std::list<Entry> entries_;  ///< the last used first
};

}  // namespace adamerge::ui
