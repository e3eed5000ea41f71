// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "adamerge/error.h"
#include "sample_figure.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StrEq;
using testing::ThrowsMessage;

class FigureErrors : public testing::Test {
 protected:
  void expectError(std::string_view kind, const std::string& message) {
    for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
      EXPECT_THAT([&] { writeFigure(kind, input_, style_, format, folder_.path() / "figure"); },
                  ThrowsMessage<Error>(HasSubstr(message)));
    }
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }

  test::TemporaryFolder folder_;
  FigureInput input_ = test::sampleInput();
  FigureStyle style_;
};

TEST_F(FigureErrors, UnknownKind) {
  expectError("heat",
              "there is no figure \"heat\"; known are salience, attention, heads, rollout, "
              "components, similarity, norm, change, groups, survivors, canvas, strip, layers, "
              "overview");
}

TEST_F(FigureErrors, LayerOutOfRange) {
  for (const char* kind : {"salience", "attention", "groups", "survivors", "canvas"}) {
    input_.layer = 4;
    expectError(kind, "layer 4 is out of range: the trace has layers 0 to 3");
    input_.layer = -2;
    expectError(kind, "layer -2 is out of range");
  }
}

TEST_F(FigureErrors, NoTrace) {
  for (LayerTrace& trace : input_.result.layers) trace.groups.clear();
  expectError("groups", "the groups figure needs the trace of every layer; run with tracing on");
  input_.result.layers.clear();
  expectError("layers", "the layers figure needs the trace of every layer; run with tracing on");
}

TEST_F(FigureErrors, NoSalience) {
  input_.result.layers[2].salience.clear();
  input_.layer = 2;
  expectError("salience",
              "the salience figure cannot be drawn: the method computes no salience in layer 2");
}

TEST_F(FigureErrors, NoLens) {
  input_.layer = 0;
  expectError("heads", "the heads figure needs the attention of every head of layer 0");
  input_.lens = nullptr;
  expectError("attention", "the attention figure needs what its lens shows of the run");
  expectError("heads", "the heads figure needs the attention of every head");
  auto lens = std::make_shared<LensPictures>();
  lens->blocks.resize(4);
  input_.lens = lens;
  expectError("rollout", "the rollout figure needs what its lens shows of the run");
  lens->blocks[0].values = {1, 2, 3};
  expectError("norm", "what the lens shows does not fit a grid of 4 x 4 patches");
}

TEST_F(FigureErrors, AnOverlayWithoutItsData) {
  for (LayerTrace& trace : input_.result.layers) trace.salience.clear();
  style_.overlay.kind = OverlayKind::kSalience;
  expectError("canvas", "the canvas figure cannot be drawn: the method computes no salience");
  expectError("strip", "the strip figure cannot be drawn: the method computes no salience");
  style_.overlay.kind = OverlayKind::kDifference;
  expectError("canvas", "the canvas figure cannot show differences: it needs a second run");
  ImageResult other = input_.result;
  other.layers[1].groups.pop_back();
  input_.other = std::make_shared<const ImageResult>(other);
  expectError("strip", "the trace of layer 1 does not fit a grid of 4 x 4 patches");
}

TEST_F(FigureErrors, NoOriginal) {
  input_.original.reset();
  expectError("canvas",
              "the canvas figure needs the whole picture and the part of it that the model saw");
}

TEST_F(FigureErrors, FontsThatCannotBe) {
  for (const double size : {4.0, 15.0, std::numeric_limits<double>::quiet_NaN()}) {
    style_.font_size = size;
    expectError("groups", "points is not possible; 5 to 14 points are");
  }
}

TEST_F(FigureErrors, NoPicture) {
  input_.image.view = {};
  expectError("groups", "the groups figure needs the picture the model saw");
}

TEST_F(FigureErrors, TraceOfAnotherGrid) {
  input_.grid_width = 5;
  expectError("overview", "the trace of layer 0 does not fit a grid of 4 x 5 patches");
  input_.grid_width = 0;
  expectError("overview", "a patch grid of 4 x 0 cannot be drawn");
  input_.grid_width = 4;
  input_.result.layers[1].groups[3] = 16;
  expectError("groups", "the trace of layer 1 does not fit");
}

TEST_F(FigureErrors, MergesThatFitNoGroup) {
  input_.result.layers[1].merges[0].destination = 99;
  expectError("survivors", "the trace of layer 1 does not fit the one before it");
}

TEST_F(FigureErrors, SizesThatCannotBe) {
  for (const double width : {10.0, 5000.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    style_.width_mm = width;
    expectError("groups", "mm wide; 60 to 1000 mm is possible");
  }
  style_.width_mm = 0;
  const fs::path path = folder_.path() / "figure.png";
  const auto write = [&] { writeFigure("groups", input_, style_, FigureFormat::kPng, path); };
  for (const double dpi : {0.0, -1.0, 1e9, std::numeric_limits<double>::quiet_NaN()}) {
    style_.dpi = dpi;
    EXPECT_THAT(write, ThrowsMessage<Error>(HasSubstr("dpi is not possible; 36 to 2400 dpi is")));
  }
  style_.dpi = 2400;
  style_.width_mm = 1000;
  EXPECT_THAT(write, ThrowsMessage<Error>(HasSubstr("at most 32767 on a side are possible")));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(FigureErrors, AFolderInTheWay) {
  const fs::path path = folder_.path() / "figure.png";
  fs::create_directory(path);
  EXPECT_THAT([&] { writeFigure("groups", input_, style_, FigureFormat::kPng, path); },
              ThrowsMessage<Error>(
                  StrEq(path.string() + ": this is a folder; a file name to write is expected")));
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(FigureErrors, AFileWhereAFolderShouldBe) {
  const fs::path file = folder_.path() / "file";
  writeFigure("layers", input_, style_, FigureFormat::kSvg, file);
  EXPECT_THAT([&] { writeFigure("layers", input_, style_, FigureFormat::kSvg, file / "a.svg"); },
              ThrowsMessage<Error>(HasSubstr("the folder cannot be made")));
}

TEST_F(FigureErrors, AFullDiskLeavesTheOldFile) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  EXPECT_THROW(writeFigure("layers", input_, style_, FigureFormat::kPdf, "/dev/full/figure.pdf"),
               Error);
}

}  // namespace
}  // namespace adamerge
