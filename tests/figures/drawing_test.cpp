// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "figures/panels.h"
#include "figures/scene.h"
#include "pixel_surface.h"
#include "sample_figure.h"

namespace adamerge {
namespace {

using test::colorOf;
using test::distance;
using test::Pixel;

/// A figure drawn at `scale` pixels a point, as a window would.
class Drawing {
 public:
  Drawing(std::string_view kind, const FigureInput& input, const FigureStyle& style, double scale)
      : Drawing(kind, input, style, scale, figureSize(kind, input, style)) {}

  Pixel at(Point point) const { return surface_.at(point.x * scale_, point.y * scale_); }
  int alphaAt(Point point) const { return surface_.alphaAt(point.x * scale_, point.y * scale_); }

 private:
  Drawing(std::string_view kind, const FigureInput& input, const FigureStyle& style, double scale,
          const FigureSize& size)
      : scale_(scale),
        surface_(
            pixels(size.width_mm), pixels(size.height_mm),
            [&](cairo_t* context) {
              cairo_scale(context, scale, scale);
              drawFigure(kind, input, style, context);
            },
            0, style.background == Background::kTransparent) {}

  int pixels(double mm) const {
    return static_cast<int>(std::ceil(mm / kMmPerInch * kPointsPerInch * scale_));
  }

  double scale_;
  test::PixelSurface surface_;
};

Point centre(const Box& box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

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
  style_.overlay.scale = SalienceScale::kRank;
  input_.layer = 0;
  const auto t = scaleSalience(input_.result.layers[0].salience, style_.overlay.scale);
  const Drawing drawing("salience", input_, style_, 4);
  for (int i = 0; i < 24; ++i) {
    EXPECT_LT(
        distance(drawing.at(centre(patch(salienceFigure(), i))),
                 colorOf(colormapColor(style_.overlay.colormap, t[static_cast<std::size_t>(i)]))),
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
    const Pixel inside = drawing.at({box.x + box.width * 0.06, box.y + box.height * 0.1});
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

TEST_F(Drawings, AttentionUsesTheColourMapPerPatch) {
  input_.image.view.pixels.assign(input_.image.view.pixels.size(), 90);
  const auto t = scaleSalience(input_.lens->blocks.back().values, style_.overlay.scale);
  const Drawing drawing("attention", input_, style_, 4);
  for (int i = 0; i < 24; ++i) {
    EXPECT_LT(
        distance(drawing.at(centre(patch(attentionFigure(), i))),
                 colorOf(colormapColor(style_.overlay.colormap, t[static_cast<std::size_t>(i)]))),
        2);
  }
}

TEST_F(Drawings, TheCanvasShowsTheWholePictureUnderTheOverlay) {
  style_.overlay.kind = OverlayKind::kGroups;
  style_.overlay.groups = GroupStyle::kFill;
  style_.overlay.opacity = 1;
  input_.selected_patch.reset();
  const auto colors = groupColors(input_.image.view, 4, 6, input_.result.layers.back().groups);
  const Drawing drawing("canvas", input_, style_, 4);
  // 56 x 36 pixels across the width, of which the model sees 48 x 32 from (4, 2).
  const double width = 86 / kMmPerInch * kPointsPerInch - 8;
  const double scale = width / 56;
  const Scene scene = makeScene(canvasFigure().traits, input_, style_);
  const double top = kMargin + headingHeight(scene, blockNote(scene));
  for (int i = 0; i < 24; ++i) {
    const Point middle{kMargin + (4 + (i % 6 + 0.5) * 8) * scale,
                       top + (2 + (i / 6 + 0.5) * 8) * scale};
    EXPECT_LT(distance(drawing.at(middle), colorOf(colors[static_cast<std::size_t>(i)])), 2) << i;
  }
  // Left of the crop: the original, darkened.
  const Pixel outside = drawing.at({kMargin + 2 * scale, top + 18 * scale});
  EXPECT_NEAR(outside[1], 0.4 * 255 * 18 / 35, 12);
}

TEST_F(Drawings, TheStripShowsEveryBlocksGroups) {
  style_.overlay.groups = GroupStyle::kFill;
  style_.overlay.opacity = 1;
  const Drawing drawing("strip", input_, style_, 4);
  const Scene scene = makeScene(stripFigure().traits, input_, style_);
  const double width = (scene.contentWidth() - 3 * kGap) / 4;
  const double top = kMargin + headingHeight(scene, runNote(scene));
  for (int layer = 0; layer < 4; ++layer) {
    const auto& groups = input_.result.layers[static_cast<std::size_t>(layer)].groups;
    const auto colors = groupColors(input_.image.view, 4, 6, groups);
    const Box panel{kMargin + layer * (width + kGap), top, width, width * 4 / 6};
    for (int i = 0; i < 24; ++i) {
      EXPECT_LT(distance(drawing.at(centre(patchBox(i, {4, 6}, panel))),
                         colorOf(colors[static_cast<std::size_t>(i)])),
                2)
          << layer << ", " << i;
    }
  }
}

TEST_F(Drawings, BackgroundsAreLightDarkOrNone) {
  const Point corner{1, 1};
  EXPECT_EQ(Drawing("groups", input_, style_, 2).at(corner), (Pixel{255, 255, 255}));
  style_.background = Background::kDark;
  EXPECT_LT(Drawing("groups", input_, style_, 2).at(corner)[0], 60);
  style_.background = Background::kTransparent;
  for (const FigureKind& kind : figureKinds()) {
    const Drawing drawing(kind.id, input_, style_, 2);
    EXPECT_EQ(drawing.alphaAt(corner), 0) << kind.id;
    EXPECT_EQ(drawing.alphaAt({100, 1}), 0) << kind.id;
  }
  const Box result = resultPanel(groupsFigure());
  EXPECT_EQ(Drawing("groups", input_, style_, 2).alphaAt(centre(result)), 255);
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
  std::vector<std::string> of_all_blocks;
  std::set<std::string> ids;
  for (const FigureKind& kind : figureKinds()) {
    EXPECT_EQ(kind.description.back(), '.');
    EXPECT_TRUE(ids.insert(kind.id).second) << kind.id;
    if (!kind.per_layer) of_all_blocks.push_back(kind.id);
  }
  EXPECT_THAT(of_all_blocks, testing::ElementsAre("rollout", "strip", "layers", "overview", "map"));
}

TEST(FigureSizes, FollowTheStyle) {
  const FigureInput input = test::sampleInput();
  FigureStyle style;
  EXPECT_NEAR(figureSize("groups", input, style).width_mm, 86, 1e-9);
  EXPECT_NEAR(figureSize("overview", input, style).width_mm, 178, 1e-9);
  style.width_mm = 120;
  EXPECT_NEAR(figureSize("overview", input, style).width_mm, 120, 1e-9);
}

TEST(FigureSizes, LargerTextNeedsMoreRoomAtTheSameWidth) {
  const FigureInput input = test::sampleInput();
  FigureStyle style;
  for (const FigureKind& kind : figureKinds()) {
    style.font_size = 7;
    const FigureSize small = figureSize(kind.id, input, style);
    style.font_size = 10;
    const FigureSize large = figureSize(kind.id, input, style);
    EXPECT_NEAR(large.width_mm, small.width_mm, 1e-9);
    EXPECT_GT(large.height_mm, small.height_mm) << kind.id;
  }
}

}  // namespace
}  // namespace adamerge
