// SPDX-License-Identifier: GPL-3.0-or-later
// Every method against the reference runs: group maps identical, numbers within 1e-4.
#include <map>

#include "ppm.h"
#include "reference_cases.h"
#include "test_device.h"

namespace adamerge {
namespace {

const std::filesystem::path kReference = std::filesystem::path(ADAMERGE_TEST_DATA) / "merging";

TEST(Reference, EveryCaseOfTheDrawnPictures) {
  const auto model = std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
  const Engine engine = Engine::load(model, {.device = test::testDevice(), .dtype = "float32"});
  const Engine exact = Engine::load(model, {.device = test::testDevice(), .dtype = "float64"});
  const auto statistics =
      std::make_shared<const Statistics>(readStatistics(kReference / "stats.json"));
  test::json cases = test::readReference(kReference / "cases.json");
  ASSERT_EQ(cases.size(), 72U);
  // Made by models/independent_check.py, in NumPy.
  for (test::json& own : test::readReference(kReference / "adamerge-plus.json")) {
    cases.push_back(std::move(own));
  }
  std::map<std::string, int> per_method;
  test::Comparison comparison;
  for (const test::json& expected : cases) {
    SCOPED_TRACE(expected.at("image").get<std::string>() + " " + expected.at("settings").dump());
    const InputTensor input = test::readPpm(kReference / expected.at("image").get<std::string>());
    const MethodChoice choice = test::choiceOf(expected.at("settings"), statistics);
    test::expectEqualsReference(
        engine.run({&input, 1}, choice).front(),
        [&] {
          return exact.run({&input, 1}, choice).front();
        },
        expected, comparison);
    ++per_method[choice.method];
  }
  comparison.expectFewExceptions();
  // Those of the further methods: methods_reference_test.cpp.
  for (const test::json& expected : test::readReference(kReference / "../methods/cases.json")) {
    ++per_method[expected.at("settings").at("method").get<std::string>()];
  }
  for (const MethodInfo& method : methods()) {
    EXPECT_GE(per_method[method.id], 4) << method.id << " has no reference case";
  }
}

}  // namespace
}  // namespace adamerge
