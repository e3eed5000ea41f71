// SPDX-License-Identifier: GPL-3.0-or-later
// The reference cases of tests/data/methods and ../shared/reference/methods: settings, and what an
// independent implementation got for each block.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "reference_cases.h"

namespace adamerge::test {

/// The files that a case names lie in tests/data/methods.
inline MethodChoice methodChoiceOf(const json& settings) {
  const std::filesystem::path files = std::filesystem::path(ADAMERGE_TEST_DATA) / "methods";
  MethodChoice choice;
  choice.method = settings.at("method");
  const auto set = [&](const std::string& key, const json& value) {
    if (value.is_boolean()) {
      choice.settings[key] = value.get<bool>();
    } else if (value.is_array()) {
      choice.settings[key] = value.get<std::vector<std::int64_t>>();
    } else if (value.is_number_integer()) {
      choice.settings[key] = value.get<std::int64_t>();
    } else if (value.is_number()) {
      choice.settings[key] = value.get<double>();
    } else {
      choice.settings[key] = value.get<std::string>();
    }
  };
  for (const auto& [key, value] : settings.items()) {
    if (key == "method") continue;
    if (key == "compensator") {
      set(key, (files / value.at("file").get<std::string>()).string());
      set("source", value.at("source"));
      set("scale", value.at("scale"));
    } else if (key == "importance_file") {
      set(key, (files / value.get<std::string>()).string());
    } else {
      set(key, value);
    }
  }
  return choice;
}

inline constexpr double kCaseTolerance = 1e-4;

inline void expectNear(const json& layer, const char* key, const std::optional<double>& actual) {
  ASSERT_EQ(actual.has_value(), layer.contains(key)) << key;
  if (!actual) return;
  const double wanted = layer.at(key);
  EXPECT_NEAR(*actual, wanted, kCaseTolerance * std::abs(wanted)) << key;
}

template <typename Number>
void expectNumbers(const json& layer, const char* key, const std::vector<Number>& actual) {
  const auto wanted = layer.value(key, std::vector<double>{});
  ASSERT_EQ(actual.size(), wanted.size()) << key;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(actual[i], wanted[i], kCaseTolerance * std::abs(wanted[i])) << key << " " << i;
  }
}

inline void expectSame(const json& layer, const char* key, const std::vector<int>& actual) {
  EXPECT_EQ(actual, layer.value(key, std::vector<int>{})) << key;
}

inline void expectMethodCase(const ImageResult& result, const json& expected) {
  const auto logits = expected.at("logits").get<std::vector<double>>();
  ASSERT_EQ(result.logits.size(), logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(result.logits[i], logits[i], kCaseTolerance);
  }
  EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-8);
  ASSERT_EQ(result.layers.size(), expected.at("layers").size());
  for (std::size_t block = 0; block < result.layers.size(); ++block) {
    SCOPED_TRACE("block " + std::to_string(block));
    const LayerTrace& layer = result.layers[block];
    const json& wanted = expected.at("layers").at(block);
    EXPECT_EQ(layer.tokens_in, wanted.at("tokens_in").get<int>());
    EXPECT_EQ(layer.tokens_out, wanted.at("tokens_out").get<int>());
    EXPECT_EQ(layer.merged, wanted.at("merged").get<int>());
    EXPECT_EQ(layer.groups, wanted.at("groups").get<std::vector<int>>());
    EXPECT_EQ(layer.restored, wanted.value("restored", false));
    EXPECT_EQ(layer.restored ? layer.tokens_inside : 0, wanted.value("tokens_inside", 0));
    expectSame(wanted, "dropped", layer.dropped);
    expectSame(wanted, "component", layer.details.component);
    expectSame(wanted, "taken", layer.details.taken);
    expectSame(wanted, "quota", layer.details.quota);
    expectSame(wanted, "grid", layer.details.grid);
    expectSame(wanted, "seeds", layer.details.seeds);
    expectSame(wanted, "centres", layer.details.centres);
    const json keys = wanted.value("keys", json::array());
    EXPECT_EQ(layer.details.keys,
              keys.is_array() ? keys.get<std::vector<int>>() : std::vector<int>{keys.get<int>()});
    json pruned = wanted.value("pruned_keys", json::array());
    if (!pruned.empty() && !pruned.front().is_array()) pruned = json::array({pruned});
    std::vector<std::vector<int>> hidden = layer.details.pruned_keys;
    // One empty list for all heads is written as a list of none.
    if (hidden.size() == 1 && hidden.front().empty()) hidden.clear();
    EXPECT_EQ(hidden, pruned.get<std::vector<std::vector<int>>>());
    EXPECT_EQ(layer.details.action, wanted.value("action", std::string()));
    expectNear(wanted, "redundancy", layer.redundancy);
    expectNear(wanted, "threshold", layer.details.threshold);
    expectNear(wanted, "variance", layer.details.variance);
    expectNumbers(wanted, "score", layer.details.score);
    expectNumbers(wanted, "quartiles", layer.details.quartiles);
  }
}

}  // namespace adamerge::test
