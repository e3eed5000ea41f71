// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "error_message.h"
#include "model/load_model.h"
#include "small_model.h"

namespace adamerge::test {

/// A model folder whose config and tensors a test varies.
class ConfigTest : public ::testing::Test {
 protected:
  LoadedModel load(const nlohmann::json& config, const NamedTensors& tensors = smallTensors(),
                   const std::optional<InputSize>& size = std::nullopt) {
    folder_.tensors(tensors);
    folder_.json("config.json", config);
    return loadModel(folder_.path(), {size});
  }
  std::string errorFor(const nlohmann::json& config, const NamedTensors& tensors = smallTensors()) {
    const std::string message = errorMessage([&] { load(config, tensors); });
    EXPECT_THAT(message, ::testing::HasSubstr(folder_.path().string()));
    return message;
  }
  std::string errorForTensors(const NamedTensors& tensors) {
    const std::string message = errorFor(smallConfig(), tensors);
    EXPECT_THAT(message, ::testing::HasSubstr(weights_));
    return message;
  }
  static nlohmann::json with(const std::string& pointer, const nlohmann::json& value) {
    nlohmann::json config = smallConfig();
    config[nlohmann::json::json_pointer(pointer)] = value;
    return config;
  }

  ModelFolder folder_;
  std::string weights_ = folder_.file("model.safetensors");
  std::string config_ = folder_.file("config.json");
};

}  // namespace adamerge::test
