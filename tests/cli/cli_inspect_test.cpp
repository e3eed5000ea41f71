// SPDX-License-Identifier: GPL-3.0-or-later
// `inspect --json`: every field of the contract, for every method of the registry.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "adamerge/methods.h"
#include "cli_runner.h"
#include "head_file.h"

namespace adamerge::test {
namespace {

using nlohmann::json;
constexpr int kPatches = 196;
constexpr int kBlocks = 12;

void expectFinite(const json& value, const std::string& path = "") {
  if (value.is_number()) {
    EXPECT_TRUE(std::isfinite(value.get<double>())) << path;
  } else if (value.is_structured()) {
    for (const auto& [key, item] : value.items()) expectFinite(item, path + "/" + key);
  }
}

void expectPredictions(const json& list) {
  ASSERT_EQ(list.size(), 5U);
  double sum = 0;
  double before = 1;
  for (const json& item : list) {
    EXPECT_EQ(item.size(), 3U);
    EXPECT_GE(item.at("index").get<int>(), 0);
    EXPECT_LT(item.at("index").get<int>(), 10);
    EXPECT_FALSE(item.at("class").get<std::string>().empty());
    const double probability = item.at("probability");
    EXPECT_GE(probability, 0);
    EXPECT_LE(probability, before);
    before = probability;
    sum += probability;
  }
  EXPECT_GT(sum, 0.5);
  EXPECT_LE(sum, 1 + 1e-6);
}

/// The best five are those of a softmax over the logits.
void expectPredictionsFit(const json& image) {
  const auto logits = image.at("logits").get<std::vector<double>>();
  ASSERT_EQ(logits.size(), 10U);
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - top);
  for (const json& item : image.at("prediction")) {
    const double logit = logits[item.at("index").get<std::size_t>()];
    EXPECT_NEAR(item.at("probability").get<double>(), std::exp(logit - top) / sum, 1e-6);
  }
}

void expectGroups(const json& layer, int prefix) {
  const auto groups = layer.at("groups").get<std::vector<int>>();
  ASSERT_EQ(groups.size(), static_cast<std::size_t>(kPatches));
  const std::set<int> different(groups.begin(), groups.end());
  EXPECT_EQ(*different.begin(), 0);
  EXPECT_EQ(*different.rbegin(), static_cast<int>(different.size()) - 1);
  // Where all tokens were restored the groups are those inside the block.
  const char* tokens = layer.contains("restored") ? "tokens_inside" : "tokens_out";
  EXPECT_EQ(static_cast<int>(different.size()), layer.at(tokens).get<int>() - prefix);
}

void expectSalience(const json& layer, bool has_salience) {
  if (!has_salience) {
    EXPECT_TRUE(layer.at("salience").is_null());
    return;
  }
  const auto salience = layer.at("salience").get<std::vector<double>>();
  ASSERT_EQ(salience.size(), static_cast<std::size_t>(kPatches));
  EXPECT_GE(*std::min_element(salience.begin(), salience.end()), 0);
  EXPECT_LE(*std::max_element(salience.begin(), salience.end()), 1);
}

void expectLayers(const json& image, const MethodInfo& method) {
  const json& layers = image.at("layers");
  ASSERT_EQ(layers.size(), static_cast<std::size_t>(kBlocks));
  int tokens = kPatches + 1;
  for (int index = 0; index < kBlocks; ++index) {
    SCOPED_TRACE("block " + std::to_string(index));
    const json& layer = layers[static_cast<std::size_t>(index)];
    EXPECT_EQ(layer.at("index"), index);
    EXPECT_EQ(layer.at("tokens_in"), tokens);
    tokens = layer.at("tokens_out");
    const int inside = layer.value("tokens_inside", tokens);
    EXPECT_EQ(layer.at("tokens_in").get<int>() - inside, layer.at("merged").get<int>());
    EXPECT_GE(layer.at("merged").get<int>(), 0);
    for (const char* key : {"redundancy", "mu", "sigma", "z"}) {
      EXPECT_TRUE(layer.at(key).is_null() || layer.at(key).is_number()) << key;
    }
    // A constant count leaves the redundancy without a mean to compare it with. Methods whose
    // count in a block does not follow it may measure one too, where they act.
    const bool everywhere = method.setting("r_max") != nullptr;
    const bool acts = everywhere || layer.at("merged") > 0;
    if (everywhere || !acts) {
      EXPECT_EQ(layer.at("redundancy").is_null(), !everywhere);
    }
    for (const char* key : {"mu", "sigma", "z"}) {
      EXPECT_EQ(layer.at(key).is_null(), !usesStatistics({method.id, {}, nullptr, false})) << key;
    }
    expectGroups(layer, 1);
    expectSalience(layer, !method.salience.empty() && acts);
    const auto attention = layer.at("attention").get<std::vector<double>>();
    ASSERT_EQ(attention.size(), static_cast<std::size_t>(kPatches));
    EXPECT_GE(*std::min_element(attention.begin(), attention.end()), 0);
    EXPECT_LE(*std::max_element(attention.begin(), attention.end()), 1);
  }
}

void expectContract(const json& image, const MethodInfo& method) {
  expectFinite(image);
  EXPECT_EQ(image.at("image_size"), (json{448, 448}));
  const auto crop = image.at("crop").get<std::vector<double>>();
  ASSERT_EQ(crop.size(), 4U);
  EXPECT_GT(crop[2], 0);
  EXPECT_LE(crop[0] + crop[2], 448 + 1e-6);
  EXPECT_EQ(image.at("model"), (json{{"name", "vit-tiny-cifar10"},
                                     {"input_size", {56, 56}},
                                     {"patch_size", 4},
                                     {"grid", {14, 14}},
                                     {"depth", kBlocks},
                                     {"dim", 192},
                                     {"heads", 3},
                                     {"prefix_tokens", 1},
                                     {"classes", 10},
                                     {"head", nullptr},
                                     {"dense_head", nullptr},
                                     {"weight_set", nullptr}}));
  EXPECT_EQ(image.at("method"), method.id);
  EXPECT_EQ(image.at("device"), "cpu");
  EXPECT_THAT(image.at("dtype"), testing::AnyOf("float32", "bfloat16"));
  expectPredictions(image.at("prediction"));
  expectPredictions(image.at("baseline_prediction"));
  expectPredictionsFit(image);

  const json& fidelity = image.at("fidelity");
  EXPECT_EQ(
      fidelity.at("top1_agrees").get<bool>(),
      image.at("prediction")[0].at("index") == image.at("baseline_prediction")[0].at("index"));
  EXPECT_LE(std::abs(fidelity.at("logit_cosine").get<double>()), 1 + 1e-9);
  EXPECT_GE(fidelity.at("kl_divergence").get<double>(), -1e-9);

  const json& flops = image.at("flops");
  EXPECT_NEAR(flops.at("baseline_paper").get<double>(), 1.2246, 1e-4);
  EXPECT_GT(flops.at("baseline_total"), flops.at("baseline_paper"));
  EXPECT_LE(flops.at("paper"), flops.at("baseline_paper"));
  EXPECT_GT(flops.at("total").get<double>(), 0);
  expectLayers(image, method);
}

/// All settings that have an effect with the defaults, no other; the bundled model is a plain
/// network.
void expectSettings(const json& settings, const MethodInfo& method) {
  const VitConfig plain;
  const Settings complete = completeSettings({method.id, {}, nullptr, false});
  std::size_t active = 0;
  for (const SettingInfo& setting : method.settings) {
    const bool expected = suits(setting, plain) && isActive(setting, complete);
    EXPECT_EQ(settings.contains(setting.key), expected) << setting.key;
    active += expected ? 1 : 0;
  }
  EXPECT_EQ(settings.size(), active);
}

TEST(Inspect, SchedulesComeFromFilesAndCompensatorsAreNamed) {
  const auto folder = std::filesystem::path(testing::TempDir());
  const auto run = [](const std::vector<std::string>& options) {
    std::vector<std::string> all{"inspect", sample("bird"), "--method", "tome", "--json",
                                 "-",       "--threads",    "1"};
    all.insert(all.end(), options.begin(), options.end());
    return adamergeCli(all);
  };
  const std::string file = (folder / "front.json").string();
  std::ofstream(file) << R"({"format": 1, "name": "front", "counts": [16, 8, 4]})";
  CliResult result = run({"--r-per-block", file});
  expectSuccess(result);
  json told = json::parse(result.out);
  EXPECT_EQ(told.at("settings").at("r_per_block"), json::parse("[16, 8, 4]"));
  EXPECT_FALSE(told.contains("compensator"));
  for (std::size_t block = 0; block < kBlocks; ++block) {
    EXPECT_EQ(told.at("layers")[block].at("merged"), block == 0   ? 16
                                                     : block == 1 ? 8
                                                     : block == 2 ? 4
                                                                  : 0);
  }
  EXPECT_THAT(told.at("warnings"), testing::IsEmpty());
  std::ofstream(file) << R"({"ViT": {"2": {"prune_kept_num": "[577,570,500]",
                                           "merge_kept_num": "[577,550,490]"}}})";
  result = run({"--r-per-block", file});
  expectSuccess(result, /*warnings=*/true);
  constexpr const char* kOther = "made for a network of 577 tokens, and this one begins with 197";
  EXPECT_THAT(result.err, testing::HasSubstr(kOther));
  EXPECT_THAT(result.out, testing::HasSubstr(kOther));
  const std::string missing = (folder / "none.json").string();
  EXPECT_THAT(run({"--r-per-block", missing}).err, testing::HasSubstr(missing));

  result = run({"--compensator", ADAMERGE_TEST_DATA "/methods/tocom.safetensors", "--r", "8",
                "--source", "4"});
  expectSuccess(result);
  told = json::parse(result.out);
  EXPECT_EQ(told.at("compensator"),
            json::parse(R"({"name": "tocom.safetensors", "source": 4, "target": 8})"));
}

TEST(Inspect, JsonHoldsTheContractForEveryMethod) {
  for (const MethodInfo& method : methods()) {
    SCOPED_TRACE(method.id);
    const std::vector<std::string> arguments = {
        "inspect", sample("bird"), "--method", method.id,   "--json",
        "-",       "--device",     "cpu",      "--threads", "1"};
    const CliResult result = adamergeCli(arguments);
    expectSuccess(result, /*warnings=*/true);
    EXPECT_EQ(result.err.find_first_of("\r\x1b"), std::string::npos) << "a bar, but no terminal";
    const json image = json::parse(result.out);
    ASSERT_TRUE(image.is_object());
    EXPECT_EQ(image.at("image"), sample("bird"));
    expectContract(image, method);
    expectSettings(image.at("settings"), method);
    EXPECT_EQ(adamergeCli(arguments).out, result.out) << "the second run differs";
  }
}

TEST(Inspect, NoneIsTheUnmergedModel) {
  const CliResult result =
      adamergeCli({"inspect", sample("ship"), "--method", "none", "--json", "-", "--threads", "1"});
  expectSuccess(result);
  const json image = json::parse(result.out);
  EXPECT_EQ(image.at("flops").at("paper"), image.at("flops").at("baseline_paper"));
  EXPECT_EQ(image.at("prediction"), image.at("baseline_prediction"));
  EXPECT_EQ(image.at("prediction")[0].at("class"), "ship");
  EXPECT_TRUE(image.at("fidelity").at("top1_agrees").get<bool>());
  EXPECT_NEAR(image.at("fidelity").at("kl_divergence").get<double>(), 0, 1e-9);
  EXPECT_EQ(image.at("layers")[11].at("tokens_out"), 197);
}

TEST(Inspect, SettingsGivenAreInForce) {
  const CliResult result =
      adamergeCli({"inspect", sample("ship"), "--no-adaptive", "--no-salience", "--r=5",
                   "--partition", "alternating", "--json", "-", "--threads", "1"});
  expectSuccess(result, true);
  const json image = json::parse(result.out);
  EXPECT_EQ(image.at("settings").at("r"), 5);
  EXPECT_EQ(image.at("settings").at("adaptive"), false);
  EXPECT_EQ(image.at("settings").at("salience"), false);
  EXPECT_EQ(image.at("settings").at("partition"), "alternating");
  EXPECT_FALSE(image.at("settings").contains("r_max"));
  for (const json& layer : image.at("layers")) EXPECT_EQ(layer.at("merged"), 5);
}

TEST(Inspect, TellsAPersonTheResult) {
  const CliResult result = adamergeCli({"inspect", sample("airplane"), "--method", "tome"});
  expectSuccess(result);
  for (const char* part : {"airplane.png (448 x 448)", "ToMe, r 8", "unmerged: airplane",
                           "G of 1.225 G", "197 > 189 > 181"}) {
    EXPECT_THAT(result.out, testing::HasSubstr(part));
  }
  EXPECT_EQ(result.out.find_first_of("\r\x1b"), std::string::npos);
}

TEST(Inspect, QuietKeepsWarningsBack) {
  // No statistics belong to these settings.
  const std::vector<std::string> arguments = {"inspect", sample("bird"), "--alpha",
                                              "3",       "--threads",    "1"};
  const CliResult loud = adamergeCli(arguments);
  expectSuccess(loud, true);
  EXPECT_THAT(loud.err, testing::HasSubstr("uncalibrated"));
  EXPECT_EQ(loud.errorLines().size(), 1U);
  std::vector<std::string> with_quiet = arguments;
  with_quiet.emplace_back("--quiet");
  const CliResult quiet = adamergeCli(with_quiet);
  expectSuccess(quiet);
  EXPECT_EQ(quiet.out, loud.out);
}

TEST(Inspect, SkipsABadImageAndDoesTheRest) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "all.json";
  const CliResult result =
      adamergeCli({"inspect", sample("bird"), "missing.png", sample("ship"), "--json",
                   file.string(), "--method", "tome", "--threads", "1"},
                  {.folder = folder.path()});
  EXPECT_EQ(result.status, 1);
  ASSERT_EQ(result.errorLines().size(), 2U) << result.err;
  EXPECT_THAT(result.errorLines()[0], testing::StartsWith("adamerge: missing.png: "));
  EXPECT_EQ(result.errorLines()[1], "adamerge: 1 of 3 images could not be inspected");
  const json images = jsonIn(file);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].at("image"), sample("bird"));
  EXPECT_EQ(images[1].at("image"), sample("ship"));
  EXPECT_EQ(images[1].at("prediction")[0].at("class"), "ship");
}

TEST(Inspect, SeveralImagesGiveAnArrayAndOneAnObject) {
  const CliResult several = adamergeCli({"inspect", sample("bird"), sample("ship"), "--json", "-",
                                         "--method", "none", "--threads", "1"});
  expectSuccess(several);
  const json list = json::parse(several.out);
  ASSERT_TRUE(list.is_array());
  ASSERT_EQ(list.size(), 2U);
  const CliResult one =
      adamergeCli({"inspect", sample("ship"), "--json", "-", "--method", "none", "--threads", "1"});
  EXPECT_EQ(json::parse(one.out), list[1]) << "not what it gets alone";
}

TEST(Inspect, NamesAreValidUtf8InJson) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "caf\xe9 \xc3\xbc.png";
  std::filesystem::copy_file(sample("bird"), file);
  const CliResult result =
      adamergeCli({"inspect", file.string(), "--json", "-", "--method", "none", "--threads", "1"});
  expectSuccess(result);
  EXPECT_THAT(json::parse(result.out).at("image").get<std::string>(),
              testing::EndsWith("caf\xef\xbf\xbd \xc3\xbc.png"));
}

TEST(Inspect, AHeadOfTheUsersOwnNamesItsClasses) {
  const TemporaryFolder folder;
  const auto head = folder.path() / "words.safetensors";
  writeHead(head, {"a wing", "a wheel", "a paw"}, 192);
  const CliResult run = adamergeCli({"inspect", sample("bird"), "--json", "-", "--quiet", "--head",
                                     head.string(), "--method", "tome"});
  expectSuccess(run);
  const json image = json::parse(run.out);
  const json& model = image.at("model");
  EXPECT_EQ(model.at("head"), head.string());
  EXPECT_TRUE(model.at("weight_set").is_null());
  EXPECT_EQ(model.at("classes"), 3);
  EXPECT_EQ(image.at("logits").size(), 3U);
  EXPECT_THAT((std::vector<std::string>{"a wing", "a wheel", "a paw"}),
              ::testing::Contains(image.at("prediction").at(0).at("class").get<std::string>()));
  EXPECT_TRUE(image.at("fidelity").at("kl_divergence").is_number());
  const CliResult absent = adamergeCli({"inspect", sample("bird"), "--weight-set", "teacher"});
  expectProblem(absent, 1, {"model.safetensors", "no set of weights is called 'teacher'"});
}

}  // namespace
}  // namespace adamerge::test
