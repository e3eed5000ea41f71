// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept between runs of a picture: its preparation, the unmerged model's result, finished
// results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <stop_token>

#include "adamerge/engine.h"
#include "adamerge/lenses.h"
#include "bench/data.h"

namespace adamerge::ui {

// What every run of a picture needs, computed once per picture and model: the network's input and
// the unmerged model's result.

/// Used on the worker's thread only, by everything that runs there.
class PictureInputs {
 public:
  std::shared_ptr<const PreparedImage> prepared(const LoadedModel& model, const Picture& picture);
  /// The unmerged model, traced. Throws what Engine::run throws.
  std::shared_ptr<const ImageResult> baseline(const Engine& engine, const LoadedModel& model,
                                              const Picture& picture, const std::stop_token& stop);
  /// What the lenses look into of a run: kept of the last ones, within a number of bytes, or made
  /// by another run. Throws what Engine::run throws.
  std::shared_ptr<const Recording> recording(const Engine& engine, const LoadedModel& model,
                                             const Picture& picture, const MethodChoice& choice,
                                             const std::stop_token& stop);
  void keep(const LoadedModel& model, const Picture& picture, const MethodChoice& choice,
            std::shared_ptr<const Recording> recording);
  /// What the baseline's forward pass took; 0 before there is one.
  double baselineSeconds(const LoadedModel& model, const Picture& picture) {
    return entry(model, picture).seconds;
  }

 private:
  struct Entry {
    std::uint64_t model = 0;
    std::uint64_t picture = 0;
    std::shared_ptr<const PreparedImage> prepared;
    std::shared_ptr<const ImageResult> baseline;
    double seconds = 0;  ///< that the baseline took
  };
  struct Recorded {
    std::uint64_t model = 0;
    std::uint64_t picture = 0;
    MethodChoice choice;
    std::shared_ptr<const Recording> recording;
  };
  Entry& entry(const LoadedModel& model, const Picture& picture);

  std::list<Entry> entries_;      ///< the last used first
  std::list<Recorded> recorded_;  ///< likewise
};

// Finished results, so that going back to a setting shows it at once. Bounded in bytes; those used
// longest ago go first.

class ResultCache {
 public:
  explicit ResultCache(std::size_t limit) : limit_(limit) {}

  /// nullptr: not kept. `choice` with complete settings.
  InspectionPtr find(const LoadedModel& model, const Picture& picture, const MethodChoice& choice);
  void insert(const InspectionPtr& inspection);
  void clear();

  /// Of the results and of the pictures they keep alive.
  std::size_t bytes() const { return result_bytes_ + picture_bytes_; }
  std::size_t size() const { return results_.size(); }

 private:
  using Results = std::list<InspectionPtr>;
  struct PictureUse {
    std::size_t bytes = 0;
    int results = 0;
  };

  Results::iterator locate(const LoadedModel& model, const Picture& picture,
                           const MethodChoice& choice);
  void drop(Results::iterator result);

  std::size_t limit_;
  std::size_t result_bytes_ = 0;
  std::size_t picture_bytes_ = 0;
  Results results_;  ///< the last used first
  std::map<std::size_t, std::vector<Results::iterator>> by_hash_;
  std::map<std::uint64_t, PictureUse> pictures_;
};

}  // namespace adamerge::ui
