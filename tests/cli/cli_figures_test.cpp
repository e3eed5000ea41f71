// SPDX-License-Identifier: GPL-3.0-or-later
// `inspect --figure`: files, names, formats.
#include <set>

#include "adamerge/figures.h"
#include "adamerge/image.h"
#include "adamerge/report.h"
#include "cli_runner.h"
#include "pdf_keywords.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

CliResult draw(std::vector<std::string> arguments, const RunLimits& limits = {}) {
  arguments.insert(arguments.begin(), "inspect");
  arguments.insert(arguments.end(), {"--quiet", "--threads", "1"});
  return adamergeCli(arguments, limits);
}

void expectOpens(const fs::path& path) {
  const std::string content = contentOf(path);
  ASSERT_GT(content.size(), 1000U) << path;
  if (path.extension() == ".png") {
    const Image image = loadImage(path);
    EXPECT_GT(image.width, 300) << path;
    EXPECT_GT(image.height, 100) << path;
  } else if (path.extension() == ".svg") {
    EXPECT_TRUE(content.starts_with("<?xml")) << path;
    EXPECT_THAT(content, testing::HasSubstr("</svg>")) << path;
  } else {
    EXPECT_TRUE(content.starts_with("%PDF-")) << path;
    EXPECT_THAT(content.substr(content.size() - 10), testing::HasSubstr("%%EOF")) << path;
  }
}

TEST(CliFigures, EveryKindInEveryFormat) {
  for (const std::string format : {"png", "svg", "pdf"}) {
    const TemporaryFolder folder;
    std::vector<std::string> arguments = {sample("bird"), "--out", folder.path() / "new" / "deep",
                                          "--format",     format,  "--patch",
                                          "3,3"};
    std::vector<std::string> expected;
    for (const FigureKind& kind : figureKinds()) {
      if (kind.id == "map") continue;  // of models with a dense head
      arguments.insert(arguments.end(), {"--figure", kind.id});
      expected.push_back("new/deep/bird-" + kind.id + "." + format);
    }
    const CliResult result = draw(arguments);
    expectSuccess(result);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(filesIn(folder.path()), expected);
    for (const std::string& file : expected) {
      expectOpens(folder.path() / file);
      EXPECT_THAT(result.out, testing::HasSubstr(file)) << "where it is, is not said";
    }
  }
}

TEST(CliFigures, AFolderAloneMeansAllThatTheMethodHas) {
  const TemporaryFolder folder;
  expectSuccess(draw({sample("ship"), "--method", "tome", "--out", folder.path()}));
  EXPECT_THAT(
      filesIn(folder.path()),
      ElementsAre("ship-attention.png", "ship-canvas.png", "ship-change.png", "ship-components.png",
                  "ship-groups.png", "ship-heads.png", "ship-layers.png", "ship-norm.png",
                  "ship-overview.png", "ship-rollout.png", "ship-strip.png", "ship-survivors.png"));
}

TEST(CliFigures, GoIntoTheCurrentFolderWithoutOut) {
  const TemporaryFolder folder;
  expectSuccess(draw({sample("ship"), "--figure", "layers"}, {.folder = folder.path()}));
  EXPECT_THAT(filesIn(folder.path()), ElementsAre("ship-layers.png"));
}

TEST(CliFigures, ALayerIsInTheNameAndChangesTheFigure) {
  const TemporaryFolder folder;
  for (const char* layer : {"0", "11"}) {
    expectSuccess(
        draw({sample("ship"), "--figure", "groups", "--layer", layer, "--out", folder.path()}));
  }
  EXPECT_THAT(filesIn(folder.path()),
              ElementsAre("ship-groups-block00.png", "ship-groups-block11.png"));
  EXPECT_NE(contentOf(folder.path() / "ship-groups-block00.png"),
            contentOf(folder.path() / "ship-groups-block11.png"));
}

TEST(CliFigures, ImagesOfOneNameDoNotOverwriteEachOther) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) fs::create_directory(folder.path() / name);
  fs::copy_file(sample("ship"), folder.path() / "a" / "it.png");
  fs::copy_file(sample("bird"), folder.path() / "b" / "it.png");
  expectSuccess(draw({folder.path() / "a" / "it.png", folder.path() / "b" / "it.png", "--figure",
                      "groups", "--out", folder.path() / "out"}));
  EXPECT_THAT(filesIn(folder.path() / "out"), ElementsAre("it-2-groups.png", "it-groups.png"));
  EXPECT_NE(contentOf(folder.path() / "out" / "it-2-groups.png"),
            contentOf(folder.path() / "out" / "it-groups.png"));
}

TEST(CliFigures, CarryWhatTheyWereMadeWith) {
  const TemporaryFolder folder;
  expectSuccess(draw({sample("ship"), "--method", "tome", "--r", "7", "--figure", "groups",
                      "--layer", "4", "--format", "pdf", "--out", folder.path()}));
  const Provenance provenance =
      parseProvenance(pdfKeywords(folder.path() / "ship-groups-block04.pdf")).at(0);
  EXPECT_EQ(provenance.model, "vit-tiny-cifar10");
  EXPECT_EQ(provenance.image, sample("ship"));
  EXPECT_EQ(provenance.choice.method, "tome");
  EXPECT_EQ(provenance.choice.settings.at("r"), SettingValue(std::int64_t{7}));
  EXPECT_EQ(provenance.layer, 4);
  EXPECT_EQ(provenance.device, "cpu");
}

TEST(CliFigures, OverlayBackgroundAndFontChangeTheCanvas) {
  const TemporaryFolder folder;
  std::set<std::string> different;
  const std::vector<std::vector<std::string>> variants{{},
                                                       {"--overlay", "attention"},
                                                       {"--overlay", "attention", "--smooth"},
                                                       {"--overlay", "survivors"},
                                                       {"--overlay", "none"},
                                                       {"--opacity", "0.3"},
                                                       {"--background", "dark"},
                                                       {"--background", "transparent"},
                                                       {"--font-size", "10"}};
  for (std::vector<std::string> arguments : variants) {
    arguments.insert(arguments.end(),
                     {sample("ship"), "--figure", "canvas", "--out", folder.path()});
    expectSuccess(draw(arguments));
    different.insert(contentOf(folder.path() / "ship-canvas.png"));
  }
  EXPECT_EQ(different.size(), variants.size());
}

TEST(CliFigures, TheSameRunGivesTheSameBytes) {
  const TemporaryFolder folder;
  for (const char* run : {"1", "2"}) {
    expectSuccess(draw(
        {sample("ship"), "--figure", "overview", "--format", "svg", "--out", folder.path() / run}));
  }
  EXPECT_EQ(contentOf(folder.path() / "1" / "ship-overview.svg"),
            contentOf(folder.path() / "2" / "ship-overview.svg"));
}

}  // namespace
}  // namespace adamerge::test
