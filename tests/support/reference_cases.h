// SPDX-License-Identifier: GPL-3.0-or-later
// The reference runs of tests/data/merging and ../shared/reference/merging: settings, logits and
// the trace of every block, made by the methods' public code (AdaMerge and DSM: by an independent
// implementation of the papers).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "adamerge/engine.h"
#include "tensor_file.h"

namespace adamerge::test {

using nlohmann::json;

inline json readReference(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

inline std::vector<float> readImageLogits(const std::filesystem::path& path) {
  return readTensor(path, "image_logits").values;
}

inline MethodChoice choiceOf(const json& settings, std::shared_ptr<const Statistics> statistics) {
  MethodChoice choice;
  choice.method = settings.at("method");
  for (const auto& [key, value] : settings.items()) {
    if (key == "method") continue;
    if (value.is_boolean()) {
      choice.settings[key] = value.get<bool>();
    } else if (value.is_number_integer()) {
      choice.settings[key] = value.get<std::int64_t>();
    } else if (value.is_number()) {
      choice.settings[key] = value.get<double>();
    } else {
      choice.settings[key] = value.get<std::string>();
    }
  }
  // The reference used one calibration for all AdaMerge cases, also under other settings.
  if (choice.method == "adamerge") choice.statistics = std::move(statistics);
  return choice;
}

/// Compares with the reference to `tolerance`. AdaMerge's softmax over raw dot products amplifies
/// the rounding of fp32, in which the reference was computed, up to a thousandfold, so a few of its
/// values lie farther than that from the truth. Those pass only where ours is nearer to a run in
/// fp64 than the reference is, and within five times the tolerance of it; how many there are is
/// counted and bounded.
class Comparison {
 public:
  template <class Exact>
  void expectNear(double ours, double reference, const Exact& exact_value, double tolerance) {
    ++values_;
    if (std::abs(ours - reference) <= tolerance) return;
    ++exceptions_;
    const double exact = exact_value();
    EXPECT_LT(std::abs(ours - exact), std::abs(reference - exact));
    EXPECT_NEAR(ours, exact, 5 * tolerance);
  }
  template <class Exact>
  void expectNear(const std::optional<double>& ours, const Exact& exact, const json& layer,
                  const char* key, double tolerance) {
    SCOPED_TRACE(key);
    ASSERT_EQ(ours.has_value(), layer.contains(key) && !layer.at(key).is_null());
    if (ours) expectNear(*ours, layer.at(key).get<double>(), exact, tolerance);
  }
  void expectFewExceptions() const {
    EXPECT_GT(values_, 0);
    EXPECT_LT(static_cast<double>(exceptions_), 0.005 * static_cast<double>(values_))
        << exceptions_ << " of " << values_;
  }

 private:
  std::int64_t values_ = 0;
  std::int64_t exceptions_ = 0;
};

/// `exact`: the same in fp64, which is run only where a number is not the reference's.
inline void expectEqualsReference(const ImageResult& result,
                                  const std::function<ImageResult()>& exact, const json& expected,
                                  Comparison& comparison) {
  std::optional<ImageResult> exact_result;
  constexpr double kTolerance = 1e-4;
  const auto logits = expected.at("logits").get<std::vector<double>>();
  ASSERT_EQ(result.logits.size(), logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(result.logits[i], logits[i], kTolerance) << "logit " << i;
  }
  EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-6);
  ASSERT_EQ(result.layers.size(), expected.at("layers").size());
  for (std::size_t block = 0; block < result.layers.size(); ++block) {
    SCOPED_TRACE("block " + std::to_string(block));
    const LayerTrace& layer = result.layers[block];
    const json& wanted = expected.at("layers").at(block);
    EXPECT_EQ(layer.tokens_in, wanted.at("tokens_in").get<int>());
    EXPECT_EQ(layer.merged, wanted.at("merged").get<int>());
    EXPECT_EQ(layer.groups, wanted.at("groups").get<std::vector<int>>());
    const auto truth = [&]() -> const LayerTrace& {
      if (!exact_result) exact_result = exact();
      return exact_result->layers[block];
    };
    const auto near = [&](const char* key, std::optional<double> LayerTrace::*value,
                          double tolerance) {
      comparison.expectNear(
          layer.*value, [&] { return (truth().*value).value(); }, wanted, key, tolerance);
    };
    near("redundancy", &LayerTrace::redundancy, kTolerance);
    near("mu", &LayerTrace::mu, kTolerance);
    near("sigma", &LayerTrace::sigma, kTolerance);
    // z divides by sigma, so its tolerance does too.
    near("z", &LayerTrace::z, kTolerance / std::min(1.0, layer.sigma.value_or(1.0)));
    ASSERT_EQ(!layer.salience.empty(), wanted.contains("salience"));
    if (layer.salience.empty()) continue;
    const auto salience = wanted.at("salience").get<std::vector<double>>();
    ASSERT_EQ(layer.salience.size(), salience.size());
    for (std::size_t patch = 0; patch < salience.size(); ++patch) {
      SCOPED_TRACE("salience of patch " + std::to_string(patch));
      comparison.expectNear(
          layer.salience[patch], salience[patch], [&] { return double{truth().salience[patch]}; },
          kTolerance);
    }
  }
}

}  // namespace adamerge::test
