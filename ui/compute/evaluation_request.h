// SPDX-License-Identifier: GPL-3.0-or-later
// What is to be evaluated, and where what is done of it is kept.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/evaluate.h"
#include "state/inspection.h"

namespace adamerge::ui {

struct EvaluationRequest {
  std::filesystem::path data;
  DatasetOptions dataset;
  std::size_t limit = 0;  ///< images, drawn with `seed`; 0: all
  unsigned seed = 0;
  std::vector<MethodChoice> methods;  ///< with each of `counts`, or of `tiers` if there are any
  std::vector<MethodChoice> exact;    ///< besides these, as they are
  Counts counts;
  std::vector<double> tiers;    ///< G, `paper` convention
  std::filesystem::path state;  ///< stateFile()
  bool anew = false;            ///< what was kept before is thrown away
};

/// What is measured where no tier is to be matched: nothing twice, without the unmerged model.
std::vector<MeasuredChoice> countedChoices(const EvaluationRequest& request);
/// How many points the result will have, the unmerged model's among them.
std::size_t pointCount(const EvaluationRequest& request);

/// In the user's own folder of application data, the same for the same model, images and choices.
std::filesystem::path stateFile(const EvaluationRequest& request, const LoadedModel& model);
/// Of many kept ones the oldest go.
void tidyStates();

}  // namespace adamerge::ui
