// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/session_evaluation.h"

#include <algorithm>

namespace adamerge::ui {

nlohmann::ordered_json toJson(const EvaluationSetup& setup) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!setup.data.empty()) json["data"] = setup.data.string();
  if (!setup.labels.empty()) json["labels"] = setup.labels.string();
  json["unlabelled"] = setup.unlabelled;
  json["limit"] = setup.limit;
  json["seed"] = setup.seed;
  json["methods"] = setup.methods;
  json["canvases"] = setup.canvases;
  json["by_flops"] = setup.by_flops;
  json["r_max"] = setup.r_max;
  json["r"] = setup.r;
  json["flops"] = setup.flops;
  return json;
}

EvaluationSetup readEvaluationSetup(SessionFields fields) {
  EvaluationSetup setup = EvaluationSetup::standard();
  setup.data = fields.text("data");
  setup.labels = fields.text("labels");
  setup.unlabelled = fields.flag("unlabelled", setup.unlabelled);
  setup.limit = fields.whole("limit", setup.limit, 0, EvaluationSetup::kMostImages);
  setup.seed = fields.whole("seed", setup.seed, 0, EvaluationSetup::kMostSeed);
  if (const nlohmann::json* list = fields.list("methods")) {
    setup.methods.clear();
    for (const MethodInfo& method : methods()) {
      if (std::find(list->begin(), list->end(), method.id) != list->end()) {
        setup.methods.push_back(method.id);
      }
    }
    if (setup.methods.size() != list->size()) {
      fields.fail("\"evaluation.methods\" must name methods that merge, each once");
    }
  }
  setup.canvases = fields.flag("canvases", setup.canvases);
  setup.by_flops = fields.flag("by_flops", setup.by_flops);
  setup.r_max = fields.text("r_max", setup.r_max);
  setup.r = fields.text("r", setup.r);
  setup.flops = fields.text("flops", setup.flops);
  fields.requireNoOthers();
  return setup;
}

}  // namespace adamerge::ui
