// SPDX-License-Identifier: GPL-3.0-or-later
// Finished results, so that going back to a setting shows it at once. Bounded in bytes; those used
// longest ago go first.
#pragma once

#include <cstddef>
#include <list>
#include <map>

#include "state/inspection.h"

namespace adamerge::ui {

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
