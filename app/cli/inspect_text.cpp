// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace adamerge::cli {

std::string predictionText(const std::vector<float>& logits,
                           const std::vector<std::string>& labels) {
  const Prediction top = topPredictions(logits, labels, 1).front();
  return fmt::format("{} {:.1f} %", top.label, 100 * top.probability);
}

std::string tokensText(const std::vector<LayerTrace>& layers) {
  std::string text;
  for (const LayerTrace& layer : layers) text += fmt::format("{} > ", layer.tokens_in);
  text += std::to_string(layers.back().tokens_out);
  std::vector<std::string> inside;
  for (const LayerTrace& layer : layers) {
    if (layer.restored) inside.push_back(std::to_string(layer.tokens_inside));
  }
  if (!inside.empty()) text += fmt::format("; inside blocks {}", fmt::join(inside, ", "));
  return text;
}

}  // namespace adamerge::cli
