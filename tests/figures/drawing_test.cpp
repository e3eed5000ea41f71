// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "figures/kinds.h"
#include "figures/panels.h"
#include "sample_figure.h"

namespace adamerge {
namespace {

using Pixel = std::array<int, 3>;

/// A figure drawn at `scale` pixels a point, as a window would.
class Drawing {
 public:
  Drawing(std::string_view kind, const FigureInput& input, const FigureStyle& style, double scale)
      : scale_(scale) {
    const FigureSize size = figureSize(kind, input, style);
    const auto pixels = [&](double mm) {
      return static_cast<int>(std::ceil(mm / kMmPerInch * kPointsPerInch * scale));
    };
    surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(size.width_mm),
                                              pixels(size.height_mm)));
    const Handle<cairo_t> context(cairo_create(surface_.get()));
    cairo_scale(context.get(), scale, scale);
    drawFigure(kind, input, style, context.get());
    EXPECT_EQ(cairo_status(context.get()), CAIRO_STATUS_SUCCESS);
    cairo_surface_flush(surface_.get());
  }

  Pixel at(Point point) const {
    const unsigned char* data =
        cairo_image_surface_get_data(surface_.get()) +
        static_cast<int>(point.y * scale_) * cairo_image_surface_get_stride(surface_.get()) +
        static_cast<int>(point.x * scale_) * 4;
    return {data[2], data[1], data[0]};
  }

 private:
  double scale_;
  Handle<cairo_surface_t> surface_;
};

Point centre(const Box& box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

double distance(const Pixel& a, const Pixel& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

Pixel colorOf(const std::array<std::uint8_t, 3>& c) { return {c[0], c[1], c[2]}; }

class Drawings : public testing::Test {
 protected:
  Box resultPanel(const FigureDrawing& drawing) {
    return panelPair(makeScene(drawing.traits, input_, style_)).result;
  }
  Box patch(const FigureDrawing& drawing, int index) {
    return patchBox(index, {input_.grid_height, input_.grid_width}, resultPanel(drawing));
  }

  FigureInput input_ = test::sampleInput({4, 6});
  FigureStyle style_;
};

TEST_F(Drawings, GroupsAreFilledWithTheirMeanColour) {
  const auto& groups = input_.result.layers.back().groups;
  const auto colors = groupColors(input_.image.view, 4, 6, groups);
  const Drawing drawing("groups", input_, style_, 4);
  for (int i = 0; i < 24; ++i) {
    EXPECT_LT(distance(drawing.at(centre(patch(groupsFigure(), i))),
                       colorOf(colors[static_cast<std::size_t>(i)])),
              2);
  }
}

TEST_F(Drawings, GroupsAreOutlinedBetweenGroupsOnly) {
  const auto& groups = input_.result.layers.back().groups;
  ASSERT_EQ(groups[0], groups[1]);
  int outlined = 0;
  const Drawing drawing("groups", input_, style_, 8);
  for (int i = 0; i + 1 < 24; ++i) {
    if (i % 6 == 5) continue;
    const Box box = patch(groupsFigure(), i);
    const Pixel edge = drawing.at({box.right(), box.y + box.height / 2});
    const bool white = distance(edge, {255, 255, 255}) < 20;
    EXPECT_EQ(white, groups[static_cast<std::size_t>(i)] != groups[static_cast<std::size_t>(i) + 1])
        << i;
    outlined += white ? 1 : 0;
  }
  EXPECT_GT(outlined, 5);
}

TEST_F(Drawings, SalienceUsesTheColourMapPerPatch) {
  input_.image.view.pixels.assign(input_.image.view.pixels.size(), 90);
  style_.scale = SalienceScale::kRank;
  input_.layer = 0;
  const auto t = scaleSalience(input_.result.layers[0].salience, style_.scale);
  const Drawing drawing("salience", input_, style_, 4);
  for (int i = 0; i < 24; ++i) {
    EXPECT_LT(distance(drawing.at(centre(patch(salienceFigure(), i))),
                       colorOf(colormapColor(style_.colormap, t[static_cast<std::size_t>(i)]))),
              2);
  }
}

TEST_F(Drawings, SurvivorsShowTheImageAndFadeTheRest) {
  input_.image.view.pixels.assign(input_.image.view.pixels.size(), 0);
  const auto fates = patchFates(survivingPatches(input_.result.layers, 3));
  const Drawing drawing("survivors", input_, style_, 6);
  int marked = 0;
  for (int i = 0; i < 24; ++i) {
    const Box box = patch(survivorsFigure(), i);
    const PatchFate fate = fates[static_cast<std::size_t>(i)];
    const Pixel inside = drawing.at({box.x + box.width * 0.3, box.y + box.height * 0.35});
    EXPECT_EQ(distance(inside, {0, 0, 0}) > 150, fate == PatchFate::kMerged) << i;
    bool orange = false;
    for (double x = 0; x < 0.3; x += 0.02) {
      const Pixel pixel = drawing.at({box.x + box.width * x, box.y + box.height / 2});
      orange = orange || distance(pixel, {255, 176, 0}) < 30;
    }
    EXPECT_EQ(orange, fate == PatchFate::kAbsorbed) << i;
    marked += orange ? 1 : 0;
  }
  EXPECT_GT(marked, 0);
}

TEST_F(Drawings, TheInputIsTheView) {
  const Box box = panelPair(makeScene(groupsFigure().traits, input_, style_)).input;
  const Drawing drawing("groups", input_, style_, 4);
  const Pixel middle = drawing.at(centre(box));
  EXPECT_NEAR(middle[0], 128, 8);
  EXPECT_NEAR(middle[1], 128, 8);
  EXPECT_GT(drawing.at({box.right() - 2, centre(box).y})[0], 235);
}

TEST_F(Drawings, NothingReachesTheMargin) {
  input_.title = std::string(300, 'W');
  input_.subtitle = std::string(300, 'M');
  for (const FigureKind& kind : figureKinds()) {
    for (const double width : {60.0, 86.0, 178.0}) {
      style_.width_mm = width;
      const FigureSize size = figureSize(kind.id, input_, style_);
      const double right = size.width_mm / kMmPerInch * kPointsPerInch;
      const double bottom = size.height_mm / kMmPerInch * kPointsPerInch;
      const Drawing drawing(kind.id, input_, style_, 3);
      const Pixel paper{255, 255, 255};
      for (double y = 0.5; y < bottom - 0.5; y += 0.5) {
        EXPECT_EQ(drawing.at({1, y}), paper) << kind.id << " left, " << y;
        EXPECT_EQ(drawing.at({right - 1, y}), paper) << kind.id << " right, " << y;
      }
      for (double x = 0.5; x < right - 0.5; x += 0.5) {
        EXPECT_EQ(drawing.at({x, 1}), paper) << kind.id << " top, " << x;
        EXPECT_EQ(drawing.at({x, bottom - 1}), paper) << kind.id << " bottom, " << x;
      }
    }
  }
}

TEST_F(Drawings, TheContextComesBackAsItWas) {
  const Handle<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, 300, 300));
  const Handle<cairo_t> context(cairo_create(surface.get()));
  cairo_translate(context.get(), 5, 7);
  drawFigure("survivors", input_, style_, context.get());
  cairo_matrix_t matrix;
  cairo_get_matrix(context.get(), &matrix);
  EXPECT_EQ(matrix.x0, 5);
  EXPECT_EQ(matrix.xx, 1);
  EXPECT_FALSE(cairo_has_current_point(context.get()));
}

TEST(FigureKinds, AreListedWithTheirScope) {
  ASSERT_EQ(figureKinds().size(), 5U);
  for (const FigureKind& kind : figureKinds()) {
    EXPECT_EQ(kind.description.back(), '.');
    EXPECT_EQ(kind.per_layer, kind.id != "layers" && kind.id != "overview");
  }
}

TEST(FigureSizes, FollowTheStyle) {
  const FigureInput input = test::sampleInput();
  FigureStyle style;
  EXPECT_NEAR(figureSize("groups", input, style).width_mm, 86, 1e-9);
  EXPECT_NEAR(figureSize("overview", input, style).width_mm, 178, 1e-9);
  style.width_mm = 120;
  EXPECT_NEAR(figureSize("overview", input, style).width_mm, 120, 1e-9);
}

}  // namespace
}  // namespace adamerge
