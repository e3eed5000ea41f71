// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect_text.h"

#include <fmt/format.h>

namespace adamerge::cli {

std::string predictionText(const std::vector<float>& logits,
                           const std::vector<std::string>& labels) {
  const Prediction top = topPredictions(logits, labels, 1).front();
  return fmt::format("{} {:.1f} %", top.label, 100 * top.probability);
}

std::string tokensText(const std::vector<LayerTrace>& layers) {
  std::string text;
  for (const LayerTrace& layer : layers) text += fmt::format("{} > ", layer.tokens_in);
  return text + std::to_string(layers.back().tokens_out);
}

}  // namespace adamerge::cli
