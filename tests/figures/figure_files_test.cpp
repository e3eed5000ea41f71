// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <regex>

#include "sample_figure.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FigureFiles : public testing::Test {
 protected:
  /// Packing pixels is most of the time a figure takes, and the resolution matters to one test.
  FigureFiles() { style_.dpi = 72; }

  fs::path write(std::string_view kind, FigureFormat format, const std::string& name = "figure") {
    fs::path path = folder_.path() / name;
    writeFigure(kind, input_, style_, format, path);
    return path;
  }

  void expectAllKindsInAllFormats() {
    for (const FigureKind& kind : figureKinds()) expectInAllFormats(kind.id);
  }

  void expectInAllFormats(const std::string& kind) {
    SCOPED_TRACE(kind);
    const FigureSize size = figureSize(kind, input_, style_);
    const cv::Mat png = cv::imread(write(kind, FigureFormat::kPng, "a.png").string());
    EXPECT_EQ(png.cols, std::lround(size.width_mm * style_.dpi / 25.4));
    EXPECT_EQ(png.rows, std::lround(size.height_mm * style_.dpi / 25.4));
    const bool has_picture = kind != "layers";
    const std::string svg = test::fileText(write(kind, FigureFormat::kSvg));
    EXPECT_THAT(svg, AllOf(StartsWith("<?xml"), EndsWith("</svg>\n"), HasSubstr("<path")));
    EXPECT_EQ(svg.find("data:image/png;base64,") != std::string::npos, has_picture);
    const std::string pdf = test::fileText(write(kind, FigureFormat::kPdf));
    EXPECT_THAT(pdf, AllOf(StartsWith("%PDF"), EndsWith("%%EOF\n"), HasSubstr("/FontFile"),
                           Not(HasSubstr("/CreationDate"))));
    EXPECT_EQ(pdf.find("/Subtype /Image") != std::string::npos, has_picture);
  }

  test::TemporaryFolder folder_;
  FigureInput input_ = test::sampleInput();
  FigureStyle style_;
};

TEST_F(FigureFiles, AllKindsInAllFormats) {
  style_.dpi = FigureStyle().dpi;
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, DarkStyle) {
  style_.background = Background::kDark;
  style_.overlay.colormap = Colormap::kMagma;
  style_.overlay.scale = SalienceScale::kRank;
  expectAllKindsInAllFormats();
  const cv::Mat png = cv::imread((folder_.path() / "a.png").string());
  EXPECT_LT(cv::mean(png.row(0))[0], 60);
}

TEST_F(FigureFiles, TransparentStyle) {
  style_.background = Background::kTransparent;
  expectAllKindsInAllFormats();
  const fs::path path = write("groups", FigureFormat::kPng, "a.png");
  const cv::Mat png = cv::imread(path.string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(png.channels(), 4);
  EXPECT_EQ(png.at<cv::Vec4b>(0, 0)[3], 0);
}

TEST_F(FigureFiles, SmallestAndLargestFont) {
  for (const double size : {5.0, 14.0}) {
    style_.font_size = size;
    style_.width_mm = 60;
    expectAllKindsInAllFormats();
  }
}

TEST_F(FigureFiles, EveryOverlay) {
  input_.other = std::make_shared<const ImageResult>(test::sampleInput().result);
  input_.selected_patch = 3;
  for (const OverlayKind overlay :
       {OverlayKind::kNone, OverlayKind::kSalience, OverlayKind::kGroups, OverlayKind::kSurvivors,
        OverlayKind::kAttention, OverlayKind::kDifference, OverlayKind::kRollout,
        OverlayKind::kComponents, OverlayKind::kSimilarity, OverlayKind::kNorm,
        OverlayKind::kChange}) {
    style_.overlay.kind = overlay;
    style_.overlay.smooth = !style_.overlay.smooth;
    for (const char* kind : {"canvas", "strip"}) expectInAllFormats(kind);
  }
}

TEST_F(FigureFiles, ACropBeyondThePicture) {
  input_.image.crop = {-20, -10, 90, 60};
  expectInAllFormats("canvas");
}

TEST_F(FigureFiles, RectangularGrid) {
  input_ = test::sampleInput({4, 6});
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, SlenderGrids) {
  input_ = test::sampleInput({1, 24});
  expectAllKindsInAllFormats();
  input_ = test::sampleInput({24, 1});
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, OnePatch) {
  input_ = test::sampleInput({1, 1, 1});
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, ManyPatchesAndBlocks) {
  input_ = test::sampleInput({64, 64, 32, 4});
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, NarrowestAndWide) {
  style_.width_mm = 60;
  expectAllKindsInAllFormats();
  style_.width_mm = 420;
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, ViewThatIsNoMultipleOfTheGrid) {
  input_.image.view = test::gradientImage(101, 67);
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, LongAndBrokenTitles) {
  const FigureSize before = figureSize("groups", input_, style_);
  for (int i = 0; i < 40; ++i) input_.title += " Überlänge – изображение 画像 🐘";
  input_.subtitle = input_.title;
  expectAllKindsInAllFormats();
  EXPECT_EQ(figureSize("groups", input_, style_).height_mm, before.height_mm);
  input_.title = "\xff\xfe not UTF-8\nand two lines";
  input_.subtitle.clear();
  expectAllKindsInAllFormats();
  input_.title.clear();
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, OddNumbersInATrace) {
  input_.result.layers[1].redundancy = std::nan("");
  input_.result.layers[2].redundancy.reset();
  input_.result.layers[3].sigma = 0;
  input_.result.calibrated = false;
  expectAllKindsInAllFormats();
}

TEST_F(FigureFiles, OverviewOfAMethodWithoutSalienceShowsGroups) {
  const double with_bar = figureSize("overview", input_, style_).height_mm;
  input_ = test::sampleInput({4, 4, 4, 8, false, false});
  EXPECT_LT(figureSize("overview", input_, style_).height_mm, with_bar);
  EXPECT_TRUE(fs::exists(write("overview", FigureFormat::kPng)));
}

TEST_F(FigureFiles, LayersNeedsNoPictureAndShowsRedundancyOnlyWhereThereIsSome) {
  const double with_redundancy = figureSize("layers", input_, style_).height_mm;
  input_ = test::sampleInput({4, 4, 4, 8, false, false});
  input_.image.view = {};
  for (LayerTrace& trace : input_.result.layers) trace.groups.clear();
  EXPECT_LT(figureSize("layers", input_, style_).height_mm, with_redundancy - 20);
  EXPECT_TRUE(fs::exists(write("layers", FigureFormat::kPng)));
}

TEST_F(FigureFiles, PngKnowsItsSizeOnPaper) {
  style_.dpi = 300;
  style_.width_mm = 100;
  const fs::path path = write("groups", FigureFormat::kPng, "figure.png");
  EXPECT_EQ(cv::imread(path.string()).cols, 1181);
  // 300 dpi are 11811 pixels a metre.
  EXPECT_THAT(test::fileText(path),
              HasSubstr(std::string("\0\0\0\x09pHYs\0\0\x2e\x23\0\0\x2e\x23\x01", 17)));
}

TEST_F(FigureFiles, TheSameFigureIsTheSameFile) {
  for (const FigureKind& kind : figureKinds()) {
    for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
      const std::string first = test::fileText(write(kind.id, format));
      EXPECT_TRUE(test::fileText(write(kind.id, format)) == first) << kind.id;
    }
  }
}

TEST_F(FigureFiles, SvgReferencesResolve) {
  const std::string svg = test::fileText(write("overview", FigureFormat::kSvg));
  const std::regex reference(R"(["(]#([^")]+)[")])");
  int images = 0;
  for (std::sregex_iterator found(svg.begin(), svg.end(), reference), end; found != end; ++found) {
    const std::string id = (*found)[1];
    EXPECT_THAT(svg, HasSubstr("id=\"" + id + "\""));
    // Cairo 1.16 and 1.18 name them so.
    if (id.starts_with("image") || id.starts_with("source")) ++images;
  }
  EXPECT_GT(images, 0);
}

TEST_F(FigureFiles, TextOfSvgStaysText) {
  input_.title = "dogs & <cats>.png";
  for (const FigureKind& kind : figureKinds()) {
    SCOPED_TRACE(kind.id);
    const std::string svg = test::fileText(write(kind.id, FigureFormat::kSvg));
    EXPECT_THAT(svg, AllOf(HasSubstr(">dogs &amp; &lt;cats&gt;.png</text>"),
                           HasSubstr("<g font-family"), Not(HasSubstr("glyph"))));
    EXPECT_THAT(svg, HasSubstr(">AdaMerge · r_max 4</text>"));
  }
  // Upright labels of axes.
  const std::string layers = test::fileText(write("layers", FigureFormat::kSvg));
  EXPECT_TRUE(std::regex_search(layers, std::regex(R"(rotate\(-90[^>]*>tokens)"))) << layers;
}

TEST_F(FigureFiles, TextOfSvgIsWhereThePictureHasIt) {
  style_.background = Background::kTransparent;
  const std::string svg = test::fileText(write("layers", FigureFormat::kSvg));
  const std::regex pattern(
      R"re(<text x="([0-9.]+)" y="([0-9.]+)" font-size="([0-9.]+)" text-anchor="(\w+)")re");
  const FigureSize size = figureSize("layers", input_, style_);
  int seen = 0;
  for (std::sregex_iterator found(svg.begin(), svg.end(), pattern), end; found != end; ++found) {
    ++seen;
    EXPECT_LE(std::stod((*found)[1]), size.width_mm / 25.4 * 72);
    EXPECT_LE(std::stod((*found)[2]), size.height_mm / 25.4 * 72);
    EXPECT_NEAR(std::stod((*found)[3]), 7, 1.01);
  }
  EXPECT_GT(seen, 10);
}

TEST_F(FigureFiles, TextOfSvgIsShortenedAsItIsDrawn) {
  for (int i = 0; i < 40; ++i) input_.title += " Überlänge 画像";
  input_.subtitle = "\x01 two\nlines";
  const std::string svg = test::fileText(write("groups", FigureFormat::kSvg));
  std::smatch title;
  ASSERT_TRUE(std::regex_search(svg, title, std::regex(">(sample[^<]*)</text>")));
  EXPECT_THAT(title[1].str(), AllOf(HasSubstr("…"), EndsWith("画像")));
  EXPECT_LT(title[1].length(), 120);
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
}

TEST_F(FigureFiles, ReplacesAnOlderFileAndMakesFolders) {
  const fs::path path = folder_.path() / "new" / "folder" / "figure.svg";
  writeFigure("layers", input_, style_, FigureFormat::kSvg, path);
  style_.background = Background::kDark;
  writeFigure("layers", input_, style_, FigureFormat::kSvg, path);
  EXPECT_THAT(test::fileText(path), StartsWith("<?xml"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1);
}

}  // namespace
}  // namespace adamerge
