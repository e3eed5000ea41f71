// SPDX-License-Identifier: GPL-3.0-or-later
// The reference runs of tests/data/merging and ../shared/reference/merging: settings, logits and
// the trace of every block, made by the methods' public code (AdaMerge and DSM: by an independent
// implementation of the papers).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adamerge/engine.h"

namespace adamerge::test {

using nlohmann::json;

inline json readReference(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

/// The tensor "image_logits" of a safetensors file: 8 bytes of header length, JSON, data.
inline std::vector<float> readImageLogits(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  const auto offsets =
      json::parse(header).at("image_logits").at("data_offsets").get<std::vector<std::size_t>>();
  std::vector<float> values((offsets[1] - offsets[0]) / sizeof(float));
  file.seekg(static_cast<std::streamoff>(sizeof length + length + offsets[0]));
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  EXPECT_TRUE(file.good()) << path;
  return values;
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

inline void expectNear(const std::optional<double>& value, const json& layer, const char* key,
                       double tolerance) {
  ASSERT_EQ(value.has_value(), layer.contains(key) && !layer.at(key).is_null()) << key;
  if (value) {
    EXPECT_NEAR(*value, layer.at(key).get<double>(), tolerance) << key;
  }
}

/// The raw affinity's softmax turns the rounding of fp32 dot products into errors of the salience,
/// so a few reference values, computed in fp32, lie up to 2e-4 from the truth. Where one differs by
/// more than `tolerance`, ours must be as near to a run in fp64 as the tolerance asks, and the
/// reference must not.
inline void expectSalience(const LayerTrace& layer, const json& expected, const LayerTrace& exact,
                           double tolerance) {
  const auto salience = expected.get<std::vector<double>>();
  ASSERT_EQ(layer.salience.size(), salience.size());
  for (std::size_t patch = 0; patch < salience.size(); ++patch) {
    if (std::abs(layer.salience[patch] - salience[patch]) <= tolerance) continue;
    SCOPED_TRACE("patch " + std::to_string(patch));
    EXPECT_NEAR(layer.salience[patch], exact.salience[patch], tolerance);
    EXPECT_GT(std::abs(salience[patch] - exact.salience[patch]), tolerance / 2);
    EXPECT_NEAR(layer.salience[patch], salience[patch], 2.5 * tolerance);
  }
}

/// `exact`: the same run in fp64.
inline void expectEqualsReference(const ImageResult& result, const ImageResult& exact,
                                  const json& expected) {
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
    expectNear(layer.redundancy, wanted, "redundancy", kTolerance);
    expectNear(layer.mu, wanted, "mu", kTolerance);
    expectNear(layer.sigma, wanted, "sigma", kTolerance);
    // z divides by sigma, so its tolerance does too.
    expectNear(layer.z, wanted, "z", kTolerance / std::min(1.0, layer.sigma.value_or(1.0)));
    ASSERT_EQ(!layer.salience.empty(), wanted.contains("salience"));
    if (!layer.salience.empty()) {
      expectSalience(layer, wanted.at("salience"), exact.layers[block], kTolerance);
    }
  }
}

}  // namespace adamerge::test
