// SPDX-License-Identifier: GPL-3.0-or-later
// What a batch has finished, kept while it runs: one that was killed or cancelled goes on from
// there.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "export/batch_plan.h"

namespace adamerge::ui {

/// An image under all choices.
struct FinishedImage {
  std::string lines;  ///< of the table
  int runs = 0;
  std::vector<std::string> figures;  ///< below the output folder
};

/// TABLE.partial beside the plan's table. One of another plan, model or format is begun anew.
class BatchJournal {
 public:
  BatchJournal(const Engine& engine, const BatchPlan& plan);

  /// nullptr: not finished, changed since, or one of its figures is gone.
  const FinishedImage* find(const BatchImage& image) const;
  int finished() const;  ///< images of the plan

  void add(const BatchImage& image, const FinishedImage& done);
  /// Once a second, so that many images do not write it many times. Throws Error.
  void saveSometimes();
  void save();    ///< what is new. Throws Error.
  void remove();  ///< the batch is complete

 private:
  struct Entry {
    nlohmann::json file;  ///< size and time of the image
    FinishedImage image;
  };

  void read();

  const BatchPlan& plan_;
  std::filesystem::path path_;
  nlohmann::json key_;
  std::map<std::string, Entry> entries_;  ///< by the image's name
  bool changed_ = false;
  std::chrono::steady_clock::time_point saved_{};
};

}  // namespace adamerge::ui
