// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_table.h"

#include <fmt/format.h>

#include "adamerge/report.h"

namespace adamerge::ui {
namespace {

/// As RFC 4180 wants it.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

std::string classColumns(const ModelInfo& model, const BatchRecord& record) {
  if (model.vit.classes == 0) return ",,,,";
  const Prediction merged = topPredictions(record.result.logits, model.labels, 1).front();
  const Prediction before = topPredictions(record.baseline.logits, model.labels, 1).front();
  return fmt::format("{},{:.6f},{},{:.6f},{}", quoted(merged.label), merged.probability,
                     quoted(before.label), before.probability, merged.index == before.index);
}

}  // namespace

std::string batchTableHeader() {
  return "image,method,settings,calibrated,flops_paper_g,flops_paper_percent,flops_total_g,"
         "tokens_in,tokens_out,top1,top1_probability,unmerged_top1,unmerged_probability,"
         "top1_agrees,logit_cosine,kl_divergence\n";
}

std::string batchTableLine(const ModelInfo& model, const BatchRecord& record) {
  const ImageResult& result = record.result;
  const Fidelity fidelity = compareLogits(record.baseline.logits, result.logits);
  return fmt::format("{},{},{},{},{:.6f},{:.3f},{:.6f},{},{},{},{:.6f},{:.6f}\n",
                     quoted(record.image), record.choice.method, quoted(describe(record.choice)),
                     result.calibrated, result.flops.paper,
                     100 * result.flops.paper / record.baseline.flops.paper, result.flops.total,
                     result.layers.front().tokens_in, result.layers.back().tokens_out,
                     classColumns(model, record), fidelity.logit_cosine, fidelity.kl_divergence);
}

}  // namespace adamerge::ui
