// SPDX-License-Identifier: GPL-3.0-or-later
// Which patch's token stands for a group: merges only name groups, so their history is followed.
#include "adamerge/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "adamerge/error.h"
#include "support/numbers.h"

namespace adamerge {
namespace {

std::vector<double> logSoftmax(const std::vector<float>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  std::vector<double> result;
  for (const float logit : logits) result.push_back(logit - highest - std::log(sum));
  return result;
}

}  // namespace

std::vector<Prediction> topPredictions(const std::vector<float>& logits,
                                       const std::vector<std::string>& labels, int count) {
  if (logits.empty()) return {};
  const std::vector<double> log_probability = logSoftmax(logits);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(count, 0))));
  std::vector<Prediction> top;
  for (const int index : order) {
    const auto at = static_cast<std::size_t>(index);
    top.push_back({index, at < labels.size() ? labels[at] : "class " + std::to_string(index),
                   std::exp(log_probability[at])});
  }
  return top;
}

Fidelity compareLogits(const std::vector<float>& baseline, const std::vector<float>& merged) {
  Fidelity fidelity;
  if (baseline.empty() || baseline.size() != merged.size()) return fidelity;
  const auto top = [](const std::vector<float>& logits) {
    return std::max_element(logits.begin(), logits.end()) - logits.begin();
  };
  fidelity.top1_agrees = top(baseline) == top(merged);

  const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  const double norms = std::sqrt(dot(baseline, baseline) * dot(merged, merged));
  fidelity.logit_cosine = norms > 0 ? std::clamp(dot(baseline, merged) / norms, -1.0, 1.0) : 0.0;

  const std::vector<double> p = logSoftmax(baseline);
  const std::vector<double> q = logSoftmax(merged);
  double divergence = 0;
  for (std::size_t i = 0; i < p.size(); ++i) divergence += std::exp(p[i]) * (p[i] - q[i]);
  fidelity.kl_divergence = std::max(0.0, divergence);
  return fidelity;
}

namespace {

constexpr int kNobody = -1;

[[noreturn]] void failInconsistent(int layer) {
  throw Error(fmt::format("the trace of layer {} does not fit the one before it", layer));
}

/// Where each group of the map on entry ends up, itself numbered as on entry.
std::vector<int> destinations(const LayerTrace& trace, int layer, std::size_t groups) {
  std::vector<int> next(groups);
  std::iota(next.begin(), next.end(), 0);
  const auto known = [&](int group) {
    return group >= 0 && static_cast<std::size_t>(group) < groups;
  };
  for (const std::vector<GroupMerge>* moves : {&trace.merges, &trace.drops}) {
    for (const GroupMerge& move : *moves) {
      if (!known(move.source) || !known(move.destination)) failInconsistent(layer);
      next[static_cast<std::size_t>(move.source)] = move.destination;
    }
  }
  std::vector<int> end(groups);
  for (std::size_t group = 0; group < groups; ++group) {
    int at = static_cast<int>(group);
    for (std::size_t steps = 0; next[static_cast<std::size_t>(at)] != at; ++steps) {
      if (steps > groups) failInconsistent(layer);
      at = next[static_cast<std::size_t>(at)];
    }
    end[group] = at;
  }
  return end;
}

}  // namespace

double embeddingCosine(const ImageResult& baseline, const ImageResult& merged) {
  return cosine(baseline.embedding, merged.embedding);
}

double patchCosine(const ImageResult& baseline, const ImageResult& merged) {
  const std::size_t patches = baseline.patch_tokens.size();
  const auto tokens =
      static_cast<std::size_t>(baseline.layers.empty() ? 0 : baseline.layers.back().tokens_out);
  if (patches == 0 || tokens == 0) return 0;
  const std::size_t width = baseline.features.size() / tokens;
  const auto row = [width](const ImageResult& result, int token) {
    return std::span(result.features).subspan(static_cast<std::size_t>(token) * width, width);
  };
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t p = 0; p < patches; ++p) {
    if (!baseline.in_picture.empty() && !baseline.in_picture[p]) continue;
    sum += cosine(row(baseline, baseline.patch_tokens[p]), row(merged, merged.patch_tokens[p]));
    ++count;
  }
  return sum / static_cast<double>(count);
}

FieldError fieldError(const ImageResult& baseline, const ImageResult& merged, int channels) {
  FieldError error;
  const std::size_t pixels = baseline.field.size() / static_cast<std::size_t>(channels);
  double difference = 0;
  double length = 0;
  auto a = baseline.field.begin();
  auto b = merged.field.begin();
  for (int channel = 0; channel < channels; ++channel) {
    double sum = 0;
    for (std::size_t i = 0; i < pixels; ++i, ++a, ++b) {
      const double apart = static_cast<double>(*b) - *a;
      sum += apart * apart;
      length += static_cast<double>(*a) * *a;
    }
    difference += sum;
    error.rmse.push_back(std::sqrt(sum / static_cast<double>(pixels)));
  }
  error.relative = length > 0 ? std::sqrt(difference / length) : 0;
  return error;
}

std::vector<int> survivingPatches(const std::vector<LayerTrace>& layers, int layer) {
  if (layer < 0 || static_cast<std::size_t>(layer) >= layers.size()) {
    throw Error(
        fmt::format("layer {} is out of range: the trace has {} layers", layer, layers.size()));
  }
  const std::size_t patches = layers.front().groups.size();
  std::vector<int> entry(patches);
  std::iota(entry.begin(), entry.end(), 0);
  std::vector<int> survivor_of_group = entry;
  for (int index = 0; index <= layer; ++index) {
    const LayerTrace& trace = layers[static_cast<std::size_t>(index)];
    if (trace.groups.size() != patches) failInconsistent(index);
    // All is as it was before it.
    if (trace.restored && index < layer) continue;
    const std::vector<int> end = destinations(trace, index, survivor_of_group.size());
    std::vector<int> survivors(patches, kNobody);
    for (std::size_t patch = 0; patch < patches; ++patch) {
      const int group = trace.groups[patch];
      if (group < 0 || static_cast<std::size_t>(group) >= patches) failInconsistent(index);
      int& survivor = survivors[static_cast<std::size_t>(group)];
      if (survivor != kNobody) continue;
      const auto reached = static_cast<std::size_t>(end[static_cast<std::size_t>(entry[patch])]);
      survivor = survivor_of_group[reached];
      if (survivor == kNobody) failInconsistent(index);
    }
    survivor_of_group = std::move(survivors);
    entry = trace.groups;
  }
  std::vector<int> result(patches);
  for (std::size_t patch = 0; patch < patches; ++patch) {
    result[patch] = survivor_of_group[static_cast<std::size_t>(entry[patch])];
  }
  return result;
}

std::vector<bool> droppedPatches(const std::vector<LayerTrace>& layers, int layer) {
  std::vector<bool> dropped;
  for (int index = 0; index <= layer && index < static_cast<int>(layers.size()); ++index) {
    const LayerTrace& trace = layers[static_cast<std::size_t>(index)];
    dropped.resize(trace.groups.size(), false);
    if (trace.restored && index < layer) continue;
    for (const int patch : trace.dropped) dropped.at(static_cast<std::size_t>(patch)) = true;
  }
  return dropped;
}

std::vector<PatchFate> patchFates(const std::vector<int>& survivors) {
  std::vector<int> members(survivors.size(), 0);
  for (const int survivor : survivors) ++members.at(static_cast<std::size_t>(survivor));
  std::vector<PatchFate> fates(survivors.size());
  for (std::size_t patch = 0; patch < survivors.size(); ++patch) {
    if (survivors[patch] != static_cast<int>(patch)) {
      fates[patch] = PatchFate::kMerged;
    } else {
      fates[patch] = members[patch] > 1 ? PatchFate::kAbsorbed : PatchFate::kUntouched;
    }
  }
  return fates;
}

std::vector<bool> groupDifference(const std::vector<int>& a, const std::vector<int>& b) {
  if (a.size() != b.size()) {
    throw Error(
        fmt::format("groups of {} and of {} patches cannot be compared", a.size(), b.size()));
  }
  std::map<int, int> sizes_a;
  std::map<int, int> sizes_b;
  std::map<std::pair<int, int>, int> shared;
  for (std::size_t patch = 0; patch < a.size(); ++patch) {
    ++sizes_a[a[patch]];
    ++sizes_b[b[patch]];
    ++shared[{a[patch], b[patch]}];
  }
  std::vector<bool> differ(a.size());
  for (std::size_t patch = 0; patch < a.size(); ++patch) {
    const int both = shared[{a[patch], b[patch]}];
    differ[patch] = both != sizes_a[a[patch]] || both != sizes_b[b[patch]];
  }
  return differ;
}

std::int64_t groupedOtherwise(const std::vector<int>& a, const std::vector<int>& b) {
  const std::vector<bool> differ = groupDifference(a, b);
  return std::count(differ.begin(), differ.end(), true);
}

}  // namespace adamerge
