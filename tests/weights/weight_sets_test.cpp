// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

using test::errorMessage;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kPatch = "patch_embed.proj.weight";

/// A network of two tensors below `prefix` in the dict `container`.
void addNetwork(std::vector<TensorPlace>& tensors, const std::string& container,
                const std::string& prefix, std::int64_t width = 8) {
  tensors.push_back({container, prefix + kPatch, {width, 3, 4, 4}});
  tensors.push_back({container, prefix + "blocks.0.norm1.weight", {width}});
}

std::vector<std::string> namesOf(const WeightSet& set) {
  std::vector<std::string> names;
  for (const auto& [name, index] : set.tensors) names.push_back(name);
  return names;
}

WeightSet choose(const std::vector<TensorPlace>& tensors, const std::string& wanted = {}) {
  return chooseWeights(tensors, "some.pth", wanted);
}

TEST(WeightSets, AnyPrefixBeforeANetworkComesOff) {
  for (const char* prefix : {"module.", "_orig_mod.", "model.", "net.", "backbone.", "vit.",
                             "module._orig_mod.", "model._orig_mod.model.encoder.", "my net."}) {
    std::vector<TensorPlace> tensors;
    addNetwork(tensors, "", prefix);
    const WeightSet set = choose(tensors);
    EXPECT_THAT(namesOf(set), UnorderedElementsAre(kPatch, "blocks.0.norm1.weight"));
    ASSERT_EQ(set.notes.size(), 1U);
    EXPECT_THAT(set.notes[0], HasSubstr(std::string("'") + prefix + "'"));
  }
  std::vector<TensorPlace> plain;
  addNetwork(plain, "state_dict.", "");
  EXPECT_THAT(choose(plain).notes, IsEmpty());
}

TEST(WeightSets, PrefixesOfAFamilyStay) {
  const auto only = [](const std::string& name) {
    return namesOf(choose({{"", name, {8}}, {"", "x", {1}}})).front();
  };
  for (const char* name :
       {"vit.embeddings.patch_embeddings.projection.weight",
        "dinov2_with_registers.embeddings.patch_embeddings.projection.weight",
        "vision_model.embeddings.patch_embedding.weight", "embeddings.patch_embeddings.weight",
        "visual.conv1.weight", "visual.trunk.patch_embed.proj.weight",
        "trunk.patch_embed.proj.weight"}) {
    EXPECT_EQ(only(name), name);
    EXPECT_EQ(only(std::string("module.model.") + name), name);
  }
}

TEST(WeightSets, WhatLiesBesideTheNetworkIsPassedOverAndNamed) {
  std::vector<TensorPlace> tensors;
  addNetwork(tensors, "", "backbone.");
  tensors.push_back({"", "head.weight", {10, 8}});
  tensors.push_back({"optimizer.state.0.", "exp_avg", {8}});
  const WeightSet set = choose(tensors);
  EXPECT_EQ(set.tensors.size(), 2U);
  EXPECT_THAT(set.notes,
              ElementsAre(HasSubstr("'backbone.'"),
                          AllOf(HasSubstr("head.weight"), ::testing::Not(HasSubstr("exp_avg")))));
}

TEST(WeightSets, AveragedWeightsComeFirst) {
  for (const auto& [raw, averaged] :
       std::vector<std::pair<std::string, std::string>>{{"state_dict.", "state_dict_ema."},
                                                        {"model.", "model_ema."},
                                                        {"model.", "ema."},
                                                        {"student.", "teacher."},
                                                        {"encoder.", "target_encoder."}}) {
    std::vector<TensorPlace> tensors;
    addNetwork(tensors, raw, "");
    addNetwork(tensors, averaged, "");
    const WeightSet set = choose(tensors);
    ASSERT_EQ(set.notes.size(), 1U);
    EXPECT_THAT(set.notes[0], HasSubstr(averaged.substr(0, averaged.size() - 1) + " was taken"));
    EXPECT_GE(set.tensors.front().second, 2U) << averaged;
    EXPECT_EQ(set.container, averaged);
    EXPECT_EQ(choose(tensors, raw.substr(0, raw.size() - 1)).container, raw);
  }
  std::vector<TensorPlace> flat;
  addNetwork(flat, "state_dict.", "model.");
  addNetwork(flat, "state_dict.", "ema_model.module.");
  EXPECT_THAT(choose(flat).notes, ElementsAre(HasSubstr("state_dict.ema_model.module was taken"),
                                              HasSubstr("'ema_model.module.'")));
  std::vector<TensorPlace> moco;
  addNetwork(moco, "state_dict.", "module.base_encoder.");
  addNetwork(moco, "state_dict.", "module.momentum_encoder.");
  EXPECT_THAT(choose(moco).notes.front(), HasSubstr("base_encoder was taken"));
}

TEST(WeightSets, NothingIsGuessed) {
  std::vector<TensorPlace> towers;
  addNetwork(towers, "", "left.");
  addNetwork(towers, "", "right.");
  EXPECT_THAT(errorMessage([&] { choose(towers); }),
              AllOf(HasSubstr("some.pth"), HasSubstr("2 sets"), HasSubstr("left, right")));
  EXPECT_EQ(choose(towers, "right").tensors.front().second, 3U);
  EXPECT_THAT(errorMessage([&] { choose(towers, "middle"); }),
              AllOf(HasSubstr("'middle'"), HasSubstr("left, right")));
  // A teacher of another size is a network that taught, not an average of the student.
  std::vector<TensorPlace> distilled;
  addNetwork(distilled, "", "student.", 8);
  addNetwork(distilled, "", "teacher.", 16);
  EXPECT_THAT(errorMessage([&] { choose(distilled); }), HasSubstr("different shapes"));
  EXPECT_THAT(errorMessage([] { choose({}); }), HasSubstr("no tensors"));
}

TEST(WeightSets, WithoutANetworkOneDictIsTakenWhole) {
  const std::vector<TensorPlace> tensors{{"optimizer.state.0.", "exp_avg", {8}},
                                         {"model.", "module.a", {8}},
                                         {"model.", "module.b", {8}}};
  EXPECT_THAT(namesOf(choose(tensors)), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(namesOf(choose({{"", "conv1.weight", {8}}, {"", "fc.weight", {8}}})),
              UnorderedElementsAre("conv1.weight", "fc.weight"));
  EXPECT_THAT(errorMessage([] {
                choose({{"one.", "a", {8}}, {"two.", "a", {8}}});
              }),
              HasSubstr("one, two"));
}

TEST(WeightSets, AbsurdNamesAreRefused) {
  const std::string deep = std::string(400, 'x') + std::string(5000, '.') + kPatch;
  EXPECT_THAT(errorMessage([&] { choose({{"", deep, {8}}}); }), HasSubstr("characters"));
  std::vector<TensorPlace> many;
  for (int i = 0; i < 20'000; ++i) addNetwork(many, "", std::to_string(i) + ".");
  EXPECT_THAT(errorMessage([&] { choose(many); }), HasSubstr("20000 sets"));
}

}  // namespace
}  // namespace adamerge
