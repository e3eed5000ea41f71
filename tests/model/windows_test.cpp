// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold of merging inside windows, whatever the weights (dense, section 8).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "adamerge/engine.h"
#include "small_model.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::NamedTensors;

const fs::path kSam = fs::path(ADAMERGE_TEST_DATA) / "dense" / "sam-hf";  // 7 x 7, windows of 4

/// The tiny encoder with other weights and another description.
Engine changedSam(const test::ModelFolder& folder,
                  const std::function<void(NamedTensors&, json&)>& change,
                  std::optional<InputSize> size = std::nullopt) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : readWeights(kSam / "model.safetensors").tensors) {
    if (name.starts_with("vision_encoder.")) tensors[name] = tensor.clone();
  }
  json config = json::parse(test::readBytes(kSam / "config.json"));
  change(tensors, config);
  folder.tensors(tensors);
  folder.json("config.json", config);
  folder.json("preprocessor_config.json",
              json::parse(test::readBytes(kSam / "preprocessor_config.json")));
  return Engine::load(folder.path(), {.device = "cpu", .dtype = "float32", .input_size = size});
}

InputTensor flat(const VitConfig& vit) {
  InputTensor input{vit.input_height, vit.input_width, {}};
  input.values.assign(static_cast<std::size_t>(3 * vit.input_height * vit.input_width), 0.4F);
  return input;
}

std::vector<float> featuresOf(const Engine& engine, const InputTensor& input,
                              const MethodChoice& choice) {
  return engine.run({&input, 1}, choice, {.trace = false, .features = true}).front().features;
}

double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return worst;
}

/// Section 8.3.
TEST(Windows, EqualPatchesMergeWithoutATrace) {
  const auto nowhere = [](NamedTensors& tensors, json& /*config*/) {
    for (auto& [name, tensor] : tensors) {
      if (name.find("pos_embed") != std::string::npos ||
          name.find("rel_pos") != std::string::npos) {
        tensor.zero_();
      }
    }
  };
  const auto moved = [](const Engine& engine, bool proportional) {
    const InputTensor input = flat(engine.info().vit);
    const MethodChoice choice{"tome", {{"proportional_attention", proportional}}, nullptr, false};
    return apart(featuresOf(engine, input, {}), featuresOf(engine, input, choice));
  };
  const test::ModelFolder folder;
  {
    const Engine padded = changedSam(folder, nowhere);
    EXPECT_LT(moved(padded, true), 2e-5);
    EXPECT_GT(moved(padded, false), 1e-3);
  }
  const Engine whole = changedSam(folder, nowhere, InputSize{64, 64});  // 8 x 8, no padding
  EXPECT_LT(moved(whole, true), 2e-5);
  EXPECT_LT(moved(whole, false), 2e-5);
}

/// Section 8.4.
TEST(Windows, AWindowAsLargeAsTheGridIsAGlobalBlock) {
  const auto with = [](bool global) {
    return [global](NamedTensors& tensors, json& config) {
      for (int block = 0; block < 4; ++block) {
        for (const char* axis : {"h", "w"}) {
          const auto table = [&](int of) {
            return "vision_encoder.layers." + std::to_string(of) + ".attn.rel_pos_" + axis;
          };
          tensors[table(block)] = tensors.at(table(1)).clone();  // of a global block
        }
      }
      json& vision = config.at("vision_config");
      vision["window_size"] = 7;
      vision["global_attn_indexes"] = global ? json{0, 1, 2, 3} : json::array();
    };
  };
  const test::ModelFolder folders[2];
  const Engine global = changedSam(folders[0], with(true));
  const Engine windowed = changedSam(folders[1], with(false));
  InputTensor input = flat(global.info().vit);
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    input.values[i] = static_cast<float>(std::sin(0.01 * static_cast<double>(i * i % 7919)));
  }
  for (const char* method : {"none", "tome", "adamerge", "structsam"}) {
    const MethodChoice choice{method, {}, nullptr, true};
    EXPECT_EQ(featuresOf(global, input, choice), featuresOf(windowed, input, choice)) << method;
  }
}

}  // namespace
}  // namespace adamerge
