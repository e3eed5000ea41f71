// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "adamerge/error.h"
#include "adamerge/figures.h"
#include "figures/canvas.h"
#include "figures/patches.h"
#include "pixel_surface.h"
#include "sample_figure.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using test::colorOf;
using test::distance;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Comparisons : public testing::Test {
 protected:
  Comparisons() : inputs_(2, test::sampleInput({4, 6})) {
    inputs_[1].result.layers = test::sampleInput({4, 6, 3}).result.layers;
    inputs_[1].subtitle = "ToMe, r 8";
    inputs_[0].provenance = R"({"format":1})";
    inputs_[1].provenance = R"({"format":2})";
  }

  test::PixelSurface draw(std::string_view kind, double scale) const {
    const FigureSize size = comparisonSize(kind, inputs_, style_);
    const auto pixels = [&](double mm) {
      return static_cast<int>(std::ceil(mm / kMmPerInch * kPointsPerInch * scale));
    };
    return {pixels(size.width_mm), pixels(size.height_mm), [&](cairo_t* context) {
              cairo_scale(context, scale, scale);
              drawComparison(kind, inputs_, style_, context);
            }};
  }

  std::vector<FigureInput> inputs_;
  FigureStyle style_;
  test::TemporaryFolder folder_;
};

TEST_F(Comparisons, ShowEachRunsGroupsSideBySide) {
  constexpr double kScale = 3;
  const test::PixelSurface surface = draw("groups", kScale);
  // A page's width, margins of 4 and a gap of 6 points; a title of one line above.
  const double width = (178 / kMmPerInch * kPointsPerInch - 8 - 6) / 2;
  for (int run = 0; run < 2; ++run) {
    const FigureInput& input = inputs_[static_cast<std::size_t>(run)];
    const auto colors = groupColors(input.image.view, 4, 6, input.result.layers.back().groups);
    const Box panel{4 + run * (width + 6), 18, width, width * 4 / 6};
    for (int i = 0; i < 24; ++i) {
      const Box cell = patchBox(i, {4, 6}, panel);
      EXPECT_LT(distance(surface.at((cell.x + cell.width / 2) * kScale,
                                    (cell.y + cell.height / 2) * kScale),
                         colorOf(colors[static_cast<std::size_t>(i)])),
                2)
          << run << ", " << i;
    }
  }
}

TEST_F(Comparisons, AreWrittenInEveryFormatForTwoToFourRuns) {
  for (const char* kind :
       {"salience", "attention", "rollout", "change", "groups", "survivors", "canvas"}) {
    inputs_.resize(2);
    while (true) {
      for (const double width : {60.0, 178.0}) {
        style_.width_mm = width;
        const FigureSize size = comparisonSize(kind, inputs_, style_);
        const auto path = folder_.path() / "comparison.png";
        writeComparison(kind, inputs_, style_, FigureFormat::kPng, path);
        const cv::Mat png = cv::imread(path.string());
        EXPECT_EQ(png.cols, std::lround(width * style_.dpi / 25.4));
        EXPECT_EQ(png.rows, std::lround(size.height_mm * style_.dpi / 25.4));
      }
      writeComparison(kind, inputs_, style_, FigureFormat::kSvg, folder_.path() / "a.svg");
      EXPECT_THAT(test::fileText(folder_.path() / "a.svg"), HasSubstr("</svg>"));
      writeComparison(kind, inputs_, style_, FigureFormat::kPdf, folder_.path() / "a.pdf");
      EXPECT_THAT(test::fileText(folder_.path() / "a.pdf"), HasSubstr("/FontFile"));
      if (inputs_.size() == 4) break;
      inputs_.push_back(inputs_.front());
    }
  }
}

TEST_F(Comparisons, GoOnInRowsWhereThePageIsNarrow) {
  inputs_.resize(4, inputs_.front());
  style_.width_mm = 178;
  const double one_row = comparisonSize("groups", inputs_, style_).height_mm;
  style_.width_mm = 90;
  const double two_rows = comparisonSize("groups", inputs_, style_).height_mm;
  style_.width_mm = 60;
  EXPECT_GT(two_rows, one_row * 1.4);
  EXPECT_GT(comparisonSize("groups", inputs_, style_).height_mm, two_rows * 1.4);
}

TEST_F(Comparisons, LongSettingsTakeMoreLines) {
  const double before = comparisonSize("groups", inputs_, style_).height_mm;
  for (int i = 0; i < 10; ++i) inputs_[1].subtitle += ", some setting 123";
  const double line = 10 * 25.4 / 72;
  EXPECT_GT(comparisonSize("groups", inputs_, style_).height_mm, before + line - 1e-6);
}

TEST_F(Comparisons, RejectOtherKindsAndNumbers) {
  const auto compare = [&](std::string_view kind) {
    return [this, kind] { comparisonSize(kind, inputs_, style_); };
  };
  EXPECT_THAT(compare("layers"), ThrowsMessage<Error>(HasSubstr(
                                     "layers figures cannot be compared side by side; possible are "
                                     "salience, attention, rollout, components, similarity, norm, "
                                     "change, groups, survivors, canvas")));
  inputs_.resize(1);
  EXPECT_THAT(compare("groups"), ThrowsMessage<Error>(HasSubstr("2 to 4 can be")));
  inputs_.resize(5, inputs_.front());
  EXPECT_THAT(compare("groups"), ThrowsMessage<Error>(HasSubstr("5 figures cannot be compared")));
}

}  // namespace
}  // namespace adamerge
