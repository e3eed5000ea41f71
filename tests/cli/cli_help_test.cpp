// SPDX-License-Identifier: GPL-3.0-or-later
// --help, --version and info.
#include <cstdlib>

#include "adamerge/engine.h"
#include "adamerge/methods.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kShared = {"--model",   "--device", "--dtype",
                                          "--threads", "--seed",   "--quiet"};

struct CommandHelp {
  std::string name;
  std::vector<std::string> options;
  bool method = true;
};

/// What the list of tests shows.
void PrintTo(const CommandHelp& command, std::ostream* out) { *out << command.name; }

class Help : public testing::TestWithParam<CommandHelp> {};

TEST_P(Help, NamesEveryOptionOfTheContract) {
  const CliResult result = adamergeCli({GetParam().name, "--help"});
  expectSuccess(result);
  for (const std::string& option : GetParam().options) EXPECT_THAT(result.out, HasSubstr(option));
  for (const std::string& option : kShared) EXPECT_THAT(result.out, HasSubstr(option + " "));
  EXPECT_EQ(result.out.find("Range"), std::string::npos);
}

TEST_P(Help, NamesEveryMethodAndSettingOfTheRegistry) {
  const CliResult result = adamergeCli({GetParam().name, "--help"});
  if (!GetParam().method) {
    EXPECT_THAT(result.out, testing::Not(HasSubstr("--method")));
    return;
  }
  EXPECT_THAT(result.out, HasSubstr("--stats FILE"));
  for (const MethodInfo& method : methods()) {
    EXPECT_THAT(result.out, HasSubstr(method.id));
    for (const SettingInfo& setting : method.settings) {
      const bool counted = setting.key == "r_max" || setting.key == "r" || setting.key == "ratio";
      if (counted && GetParam().name != "inspect") continue;
      EXPECT_THAT(result.out, HasSubstr("--" + optionName(setting.key) + " "));
      EXPECT_THAT(result.out, HasSubstr(setting.help.substr(0, 20)));
      for (const std::string& choice : setting.choices) EXPECT_THAT(result.out, HasSubstr(choice));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Commands, Help,
    testing::Values(
        CommandHelp{"info", {"--json FILE"}, false},
        CommandHelp{"inspect",
                    {"--json FILE", "--out DIR", "--figure KIND", "--layer LIST", "--format",
                     "png, svg or pdf", "--no-salience", "--no-adaptive", "--r-max N", "--r N",
                     "--delay N", "--partition sequential|alternating", "--affinity raw|scaled"}},
        CommandHelp{"calibrate", {"--r-max LIST", "--passes N", "--limit N", "-o,--output FILE"}},
        CommandHelp{"evaluate",
                    {"--methods,--method LIST", "--r-max LIST", "--r LIST", "--flops LIST",
                     "--flops-images N", "--limit N", "--batch N", "--labels FILE", "--unlabelled",
                     "--json FILE", "--csv FILE", "--per-image FILE", "FILE.partial"}},
        CommandHelp{"pictures",
                    {"--setting N", "--sort", "--json FILE", "--counts FILE", "--sheet FILE",
                     "--show", "--class NAME", "--predicted NAME", "--tiles N"},
                    false},
        CommandHelp{"bench",
                    {"--architecture LIST", "--images PATH", "--methods,--method LIST",
                     "--r-max LIST", "--r LIST", "--flops LIST", "--batch LIST", "--warmup N",
                     "--runs N", "--json FILE", "--compare OLD NEW", "--tolerance"}},
        CommandHelp{"schedule", {"--flops G", "--json FILE"}}),
    [](const auto& test) { return test.param.name; });

TEST(ProgramHelp, NamesEveryCommand) {
  const CliResult result = adamergeCli({"--help"});
  expectSuccess(result);
  for (const char* command : {"info", "inspect", "calibrate", "evaluate", "pictures", "bench",
                              "schedule", "models", "thumbnail", "--version"}) {
    EXPECT_THAT(result.out, HasSubstr(command));
  }
}

/// What `make run` would do, in an environment without a display and with `more`.
std::string makeRun(const std::string& more) {
  std::vector<std::string> command = {"/usr/bin/env",    "-u", "DISPLAY",        "-u",
                                      "WAYLAND_DISPLAY", "-u", "QT_QPA_PLATFORM"};
  if (!more.empty()) command.push_back(more);
  const std::string tree = (std::filesystem::path(ADAMERGE_MODELS) / "..").lexically_normal();
  command.insert(command.end(), {"make", "--dry-run", "--directory", tree, "run"});
  const CliResult result = runProgram(command);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

TEST(MakeRun, OpensTheStudioWhereThereIsADisplay) {
  for (const char* display : {"DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0"}) {
    EXPECT_THAT(makeRun(display), HasSubstr("bin/adamerge-studio resources/samples/bird.png"));
  }
}

TEST(MakeRun, DoesTheSameJobWithoutADisplay) {
  const std::string recipe = makeRun("");
  EXPECT_THAT(recipe, HasSubstr("bin/adamerge inspect resources/samples/bird.png --out"));
  EXPECT_THAT(recipe, HasSubstr("figures are in"));
  EXPECT_THAT(recipe, testing::Not(HasSubstr("adamerge-studio")));
}

TEST(Documentation, TheManualPageHasWhatTheHelpHas) {
  const CliResult page = adamergeCli({"--man"});
  expectSuccess(page);
  EXPECT_THAT(page.out, testing::StartsWith(".TH ADAMERGE 1"));
  for (const char* command :
       {"INFO", "INSPECT", "CALIBRATE", "EVALUATE", "BENCH", "SCHEDULE", "MODELS", "THUMBNAIL"}) {
    EXPECT_THAT(page.out, HasSubstr(std::string(".SH ADAMERGE ") + command + "\n"));
  }
  for (const MethodInfo& method : methods()) {
    for (const SettingInfo& setting : method.settings) {
      std::string name = "--" + optionName(setting.key);
      for (std::size_t at = name.find('-'); at != std::string::npos; at = name.find('-', at + 2)) {
        name.insert(at, "\\");
      }
      EXPECT_THAT(page.out, HasSubstr(name)) << setting.key;
    }
  }
  EXPECT_EQ(page.out.find("completion"), std::string::npos) << "a hidden option";
}

TEST(Documentation, BashCompletesCommandsAndTheirOptions) {
  const CliResult script = adamergeCli({"--bash-completion"});
  expectSuccess(script);
  const auto completed = [&](const std::string& words, int at) {
    return runProgram({"/bin/bash", "-c",
                       script.out + "COMP_WORDS=(" + words + "); COMP_CWORD=" + std::to_string(at) +
                           "; _adamerge; echo \"${COMPREPLY[@]}\""})
        .out;
  };
  EXPECT_EQ(completed("adamerge ins", 1), "inspect\n");
  EXPECT_EQ(completed("adamerge models --f", 2), "--fetch\n");
  EXPECT_EQ(completed("adamerge inspect bi", 2), "\n") << "names of files are bash's own";
}

TEST(Documentation, FishCompletesCommandsAndTheirOptions) {
  if (!std::filesystem::exists("/usr/bin/fish")) GTEST_SKIP() << "needs fish";
  const TemporaryFolder folder;
  const std::string script = (folder.path() / "adamerge.fish").string();
  writeText(script, adamergeCli({"--fish-completion"}).out);
  const auto completed = [&](const std::string& line) {
    return runProgram({"/usr/bin/fish", "--no-config", "-c",
                       "source " + script + "; complete -C '" + line + "' | cut -f1"})
        .out;
  };
  EXPECT_EQ(completed("adamerge ins"), "inspect\n");
  EXPECT_EQ(completed("adamerge models --f"), "--fetch\n");
}

TEST(Documentation, ZshReadsItsCompletion) {
  const CliResult script = adamergeCli({"--zsh-completion"});
  expectSuccess(script);
  EXPECT_THAT(script.out, testing::StartsWith("#compdef adamerge\n"));
  EXPECT_THAT(script.out, HasSubstr("'models:What is in the Hugging Face cache"));
  EXPECT_THAT(script.out,
              HasSubstr("'--json[Write the list as JSON; - is standard output]:FILE:_files'"));
  if (!std::filesystem::exists("/usr/bin/zsh")) GTEST_SKIP() << "needs zsh";
  const TemporaryFolder folder;
  writeText(folder.path() / "_adamerge", script.out);
  expectSuccess(runProgram({"/usr/bin/zsh", "-n", (folder.path() / "_adamerge").string()}));
}

TEST(Version, NamesLibTorchAndCuda) {
  const CliResult result = adamergeCli({"--version"});
  expectSuccess(result);
  EXPECT_THAT(result.out, testing::MatchesRegex("adamerge [0-9.]+, LibTorch [0-9.].*, CUDA .*\n"));
}

TEST(Info, TellsAPersonWhatTheModelIs) {
  const CliResult result = adamergeCli({"info"});
  expectSuccess(result);
  for (const char* fact : {"vit-tiny-cifar10", "12", "192", "197 = 14 x 14", "1.225 G (paper",
                           "(total)", "bicubic", "airplane", "LibTorch"}) {
    EXPECT_THAT(result.out, HasSubstr(fact));
  }
}

TEST(Info, TellsWhichPrecisionAutoCameOutAs) {
  const std::string automatic = Engine::load(bundledModel(), {.device = "cpu"}).dtype();
  EXPECT_THAT(adamergeCli({"info", "--device", "cpu"}).out,
              HasSubstr("cpu, " + automatic + " (auto), LibTorch"));
  EXPECT_THAT(adamergeCli({"info", "--device", "cpu", "--dtype", "bfloat16"}).out,
              HasSubstr("cpu, bfloat16, LibTorch"));
  // What the kernels may not use counts as absent.
  ::setenv("ADAMERGE_MAX_ISA", "avx512", /*overwrite=*/1);
  const CliResult capped =
      runProgram({ADAMERGE_PROGRAM, "info", "--device", "cpu", "--model", bundledModel().string()});
  ::unsetenv("ADAMERGE_MAX_ISA");
  EXPECT_THAT(capped.out, HasSubstr("cpu, float32 (auto), LibTorch"));
}

TEST(Info, WritesTheSameAsJson) {
  const CliResult result = adamergeCli({"info", "--json", "-"});
  expectSuccess(result);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("name"), "vit-tiny-cifar10");
  EXPECT_EQ(json.at("input_size"), (nlohmann::json{56, 56}));
  EXPECT_EQ(json.at("grid"), (nlohmann::json{14, 14}));
  EXPECT_EQ(json.at("patch_size"), 4);
  EXPECT_EQ(json.at("depth"), 12);
  EXPECT_EQ(json.at("dim"), 192);
  EXPECT_EQ(json.at("heads"), 3);
  EXPECT_EQ(json.at("tokens"), 197);
  EXPECT_EQ(json.at("prefix_tokens"), 1);
  EXPECT_EQ(json.at("classes"), 10);
  EXPECT_EQ(json.at("labels").size(), 10U);
  EXPECT_NEAR(json.at("flops").at("paper"), 1.2246, 1e-4);
  EXPECT_GT(json.at("flops").at("total"), json.at("flops").at("paper"));
  EXPECT_GT(json.at("parameters"), 5'000'000);
  for (const char* key : {"resize", "crop_size", "interpolation", "mean", "std"}) {
    EXPECT_TRUE(json.at("preprocessing").contains(key)) << key;
  }
  EXPECT_EQ(json.at("device"), availableDevices().size() > 1 ? "cuda:0" : "cpu");
  EXPECT_EQ(json.at("dtype"), Engine::load(bundledModel()).dtype());
  EXPECT_EQ(json.at("devices").at(0).at("id"), "cpu");
}

TEST(Info, PrintsAndWritesJsonIntoAFile) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "new" / "info.json";
  const CliResult result = adamergeCli({"info", "--json", file.string()});
  expectSuccess(result);
  EXPECT_THAT(result.out, HasSubstr("vit-tiny-cifar10"));
  EXPECT_EQ(jsonIn(file).at("depth"), 12);
  EXPECT_EQ(filesIn(folder.path()).size(), 1U);
}

}  // namespace
}  // namespace adamerge::test
