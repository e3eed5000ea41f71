// SPDX-License-Identifier: GPL-3.0-or-later
// Overlays as a user sees them: the pixels of a picture in which every patch is 40 pixels wide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "adamerge/error.h"
#include "adamerge/figures.h"
#include "figures/patch_marks.h"
#include "pixel_surface.h"
#include "sample_figure.h"

namespace adamerge {
namespace {

using test::colorOf;
using test::distance;
using test::Pixel;
using test::PixelSurface;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int kRows = 4;
constexpr int kColumns = 6;
constexpr double kPatch = 8;  // in the picture's pixels
constexpr double kZoom = 5;   // device pixels
constexpr Pixel kAmber{255, 176, 0};
constexpr std::array<Pixel, 7> kPalette{{{230, 159, 0},
                                         {86, 180, 233},
                                         {0, 158, 115},
                                         {240, 228, 66},
                                         {0, 114, 178},
                                         {213, 94, 0},
                                         {204, 121, 167}}};

class Overlays : public testing::Test {
 protected:
  Overlays() : sample_(test::sampleInput({kRows, kColumns})) {
    sample_.image.crop = {8, 4, kColumns * kPatch, kRows * kPatch};
    input_.image = &sample_.image;
    input_.grid_height = kRows;
    input_.grid_width = kColumns;
    input_.layers = &sample_.result.layers;
    input_.layer = 2;
    style_.opacity = 1;
  }

  static constexpr int width() { return kColumns * 8 + 16; }
  static constexpr int height() { return kRows * 8 + 8; }

  PixelSurface draw(double zoom = kZoom, int grey = 255) const {
    return {static_cast<int>(width() * zoom), static_cast<int>(height() * zoom),
            [&](cairo_t* context) {
              cairo_scale(context, zoom, zoom);
              OverlayInput input = input_;
              const auto layer = static_cast<std::size_t>(input_.layer);
              if (shows_lens_ && layer < sample_.lens->blocks.size()) {
                input.lens = &sample_.lens->blocks[layer];
              }
              drawOverlay(input, style_, width(), height(), zoom, context);
            },
            grey};
  }

  /// A place within a patch, (0, 0) its top left and (1, 1) its bottom right corner.
  static Pixel at(const PixelSurface& surface, int patch, double x, double y) {
    return surface.at((8 + (patch % kColumns + x) * kPatch) * kZoom,
                      (4 + (patch / kColumns + y) * kPatch) * kZoom);
  }
  const LayerTrace& trace() const {
    return sample_.result.layers[static_cast<std::size_t>(input_.layer)];
  }
  int groupOf(int patch) const { return trace().groups[static_cast<std::size_t>(patch)]; }
  bool shares(int patch, int other) const { return groupOf(patch) == groupOf(other); }
  /// The palette's colour of the patch's group, which has one.
  Pixel outlineColor(int patch) const {
    const std::vector<int> numbers =
        outlineColors(sample_.result.layers, input_.layer, {kRows, kColumns});
    return kPalette.at(static_cast<std::size_t>(numbers[static_cast<std::size_t>(patch)]));
  }
  int members(int patch) const {
    return static_cast<int>(
        std::count(trace().groups.begin(), trace().groups.end(), groupOf(patch)));
  }

  FigureInput sample_;
  const std::vector<float>& lensValues() const {
    return sample_.lens->blocks[static_cast<std::size_t>(input_.layer)].values;
  }

  OverlayInput input_;
  OverlayStyle style_;
  bool shows_lens_ = true;
};

TEST_F(Overlays, HeatMapsShowTheColourOfEveryPatch) {
  const LayerTrace& layer = trace();
  for (const OverlayKind kind :
       {OverlayKind::kSalience, OverlayKind::kAttention, OverlayKind::kRollout,
        OverlayKind::kSimilarity, OverlayKind::kNorm, OverlayKind::kChange}) {
    style_.kind = kind;
    style_.colormap = Colormap::kMagma;
    style_.scale = SalienceScale::kRank;
    const auto t =
        scaleSalience(kind == OverlayKind::kSalience ? layer.salience : lensValues(), style_.scale);
    const PixelSurface surface = draw();
    for (int patch = 0; patch < kRows * kColumns; ++patch) {
      const Pixel expected =
          colorOf(colormapColor(style_.colormap, t[static_cast<std::size_t>(patch)]));
      EXPECT_EQ(at(surface, patch, 0.5, 0.5), expected) << patch;
      EXPECT_EQ(at(surface, patch, 0.05, 0.95), expected) << patch;
    }
  }
}

TEST_F(Overlays, AHeldRangeGivesEqualValuesEqualColoursInEveryBlock) {
  style_.kind = OverlayKind::kAttention;
  style_.scale = SalienceScale::kLinear;
  style_.held[OverlayKind::kAttention] = ValueRange{0.1, 0.4};
  style_.held[OverlayKind::kSalience] = ValueRange{5, 6};  // of something else
  for (input_.layer = 0; input_.layer < 4; ++input_.layer) {
    const PixelSurface surface = draw();
    for (int patch = 0; patch < kRows * kColumns; ++patch) {
      const double value = lensValues()[static_cast<std::size_t>(patch)];
      const double place = std::clamp((value - 0.1) / 0.3, 0.0, 1.0);
      EXPECT_LT(
          distance(at(surface, patch, 0.5, 0.5), colorOf(colormapColor(style_.colormap, place))), 3)
          << input_.layer << ", " << patch;
    }
  }
}

TEST_F(Overlays, OpacityLetsThePictureThrough) {
  style_.kind = OverlayKind::kSalience;
  style_.opacity = 0.5;
  const auto t = scaleSalience(trace().salience, style_.scale);
  const auto color = colormapColor(style_.colormap, t[3]);
  const Pixel half = at(draw(kZoom, 100), 3, 0.5, 0.5);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(half[i], (color[i] + 100) / 2.0, 1.5);
  style_.opacity = 0;
  style_.dim_outside = false;
  EXPECT_TRUE(draw() == PixelSurface(static_cast<int>(width() * kZoom),
                                     static_cast<int>(height() * kZoom), [](cairo_t*) {}));
}

TEST_F(Overlays, SmoothHeatMapsInterpolateValuesBetweenTheCentresOfPatches) {
  style_.kind = OverlayKind::kSalience;
  style_.scale = SalienceScale::kLinear;
  style_.smooth = true;
  std::vector<float>& salience = sample_.result.layers[2].salience;
  for (std::size_t i = 0; i < salience.size(); ++i) {
    salience[i] = static_cast<float>(i % kColumns) / (kColumns - 1);
  }
  const PixelSurface surface = draw();
  for (double x = 0.5; x < kColumns - 1; x += 0.25) {
    const double value = (x - 0.5) / (kColumns - 1);
    const Pixel shown = at(surface, kColumns, x, 0.5);
    EXPECT_LT(distance(shown, colorOf(colormapColor(style_.colormap, value))), 12) << x;
  }
}

TEST_F(Overlays, GroupsAreFilledWithTheirMeanColour) {
  style_.groups = GroupStyle::kFill;
  const auto colors = groupColors(sample_.image.view, kRows, kColumns, trace().groups);
  const PixelSurface surface = draw();
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    EXPECT_EQ(at(surface, patch, 0.5, 0.5), colorOf(colors[static_cast<std::size_t>(patch)]));
    EXPECT_EQ(at(surface, patch, 0.04, 0.5), colorOf(colors[static_cast<std::size_t>(patch)]));
  }
}

TEST_F(Overlays, WindowsAreLinesBetweenThem) {
  // The line's cyan on its dark halo, as far as the edge lies within pixels.
  const auto marked = [](const Pixel& pixel) { return pixel[0] < 128; };
  style_.kind = OverlayKind::kNone;
  style_.dim_outside = false;
  sample_.result.layers[2].window = {2, 4};
  PixelSurface surface = draw();
  int lines = 0;
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    const int row = patch / kColumns;
    const int column = patch % kColumns;
    const bool above = marked(at(surface, patch, 0.5, 0));
    const bool left = marked(at(surface, patch, 0, 0.5));
    EXPECT_EQ(above, row == 2) << patch;
    EXPECT_EQ(left, column == 4) << patch;
    lines += (above ? 1 : 0) + (left ? 1 : 0);
    EXPECT_EQ(at(surface, patch, 0.5, 0.5), (Pixel{255, 255, 255})) << patch;
  }
  EXPECT_EQ(lines, kColumns + kRows);
  style_.windows = false;
  EXPECT_EQ(at(draw(), 2 * kColumns, 0.5, 0), (Pixel{255, 255, 255}));
  style_.windows = true;
  sample_.result.layers[2].window = {kRows, kColumns};  // the grid
  EXPECT_EQ(at(draw(), 2 * kColumns, 0.5, 0), (Pixel{255, 255, 255}));
}

TEST_F(Overlays, PromptsAreDrawnWithTheCellsThatTheyProtect) {
  constexpr Pixel kPink{255, 46, 136};
  style_.kind = OverlayKind::kNone;
  style_.dim_outside = false;
  // A box over the patches 8 and 9 but for a margin, a point in the last patch.
  const Prompts prompts{{26, 13, 38, 19}, {51, 31}};
  input_.prompts = &prompts;
  sample_.result.layers[2].details.prompted = {8, 9};
  const PixelSurface surface = draw();
  const auto pixel = [&](double x, double y) { return surface.at(x * kZoom, y * kZoom); };
  EXPECT_LT(distance(pixel(26, 16), kPink), 40);
  EXPECT_LT(distance(pixel(32, 13), kPink), 40);
  EXPECT_LT(distance(pixel(38, 16), kPink), 40);
  EXPECT_LT(distance(pixel(51.5, 31.5), kPink), 40);
  // Washed within, and nothing of it beside.
  EXPECT_GT(distance(at(surface, 8, 0.5, 0.5), Pixel{255, 255, 255}), 20);
  EXPECT_EQ(at(surface, 7, 0.5, 0.5), (Pixel{255, 255, 255}));
  EXPECT_EQ(at(surface, 14, 0.5, 0.5), (Pixel{255, 255, 255}));
}

TEST_F(Overlays, OutlinesHaveTheColourOfTheirGroupInEveryBlock) {
  style_.groups = GroupStyle::kOutline;
  int outlined = 0;
  for (input_.layer = 0; input_.layer < 4; ++input_.layer) {
    const PixelSurface surface = draw();
    for (int patch = 0; patch < kRows * kColumns; ++patch) {
      const bool edge = patch % kColumns == 0 || !shares(patch, patch - 1);
      bool colored = false;
      for (double x = 0.01; x < 0.15; x += 0.01) {
        colored = colored || (members(patch) > 1 &&
                              distance(at(surface, patch, x, 0.5), outlineColor(patch)) < 12);
      }
      EXPECT_EQ(colored, edge && members(patch) > 1) << input_.layer << ", " << patch;
      outlined += colored ? 1 : 0;
      EXPECT_EQ(at(surface, patch, 0.5, 0.5), (Pixel{255, 255, 255})) << "filled";
    }
  }
  EXPECT_GT(outlined, 10);
}

TEST_F(Overlays, LinesKeepTheirWidthAtEveryZoom) {
  style_.groups = GroupStyle::kOutline;
  ASSERT_GT(members(0), 1);
  const auto lineWidth = [&](double zoom) {
    const PixelSurface surface = draw(zoom);
    int count = 0;
    for (int x = 0; x < kPatch * zoom / 2; ++x) {
      const Pixel pixel = surface.at(8 * zoom + x, (4 + kPatch / 2) * zoom);
      count += distance(pixel, outlineColor(0)) < 60 ? 1 : 0;
    }
    return count;
  };
  EXPECT_GE(lineWidth(5), 2);
  EXPECT_EQ(lineWidth(5), lineWidth(10));
  EXPECT_EQ(lineWidth(5), lineWidth(20));
}

TEST_F(Overlays, SurvivorsArePlainRingedOrHatched) {
  style_.kind = OverlayKind::kSurvivors;
  const auto fates = patchFates(survivingPatches(sample_.result.layers, input_.layer));
  const PixelSurface surface = draw(kZoom, 0);
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    bool amber = false;
    bool plain = true;
    std::set<Pixel> colors;
    for (double x = 0.02; x < 1; x += 0.04) {
      const Pixel pixel = at(surface, patch, x, 0.5);
      amber = amber || distance(pixel, kAmber) < 20;
      plain = plain && pixel == Pixel{0, 0, 0};
      colors.insert(pixel);
    }
    const PatchFate fate = fates[static_cast<std::size_t>(patch)];
    EXPECT_EQ(plain, fate == PatchFate::kUntouched) << patch;
    EXPECT_EQ(amber, fate == PatchFate::kAbsorbed) << patch;
    const bool washed = at(surface, patch, 0.03, 0.5)[0] > 120;
    EXPECT_EQ(washed, fate == PatchFate::kMerged) << patch;
    EXPECT_TRUE(!washed || colors.size() > 2) << "not hatched: " << patch;
  }
}

TEST_F(Overlays, DifferencesAreTintedAndHatched) {
  style_.kind = OverlayKind::kDifference;
  const std::vector<int> other = sample_.result.layers[0].groups;
  input_.other_groups = &other;
  const std::vector<bool> differ = groupDifference(trace().groups, other);
  ASSERT_GT(std::count(differ.begin(), differ.end(), true), 2);
  ASSERT_GT(std::count(differ.begin(), differ.end(), false), 2);
  const PixelSurface surface = draw();
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    std::set<Pixel> colors;
    for (double x = 0.02; x < 1; x += 0.02) colors.insert(at(surface, patch, x, 0.5));
    if (differ[static_cast<std::size_t>(patch)]) {
      EXPECT_GT(colors.size(), 2U) << "not hatched: " << patch;
      EXPECT_FALSE(colors.contains({255, 255, 255})) << "not tinted: " << patch;
    } else {
      EXPECT_EQ(colors, (std::set<Pixel>{{255, 255, 255}})) << patch;
    }
  }
}

TEST_F(Overlays, WhatTheModelDoesNotSeeIsDarkened) {
  style_.kind = OverlayKind::kNone;
  const PixelSurface surface = draw();
  for (const auto& [x, y] : {std::pair{2.0, 20.0}, {62.0, 20.0}, {30.0, 1.0}, {30.0, 38.0}}) {
    EXPECT_LT(surface.at(x * kZoom, y * kZoom)[0], 130) << x << ", " << y;
  }
  EXPECT_EQ(surface.at(30 * kZoom, 20 * kZoom)[0], 255);
  style_.dim_outside = false;
  EXPECT_EQ(draw().at(2 * kZoom, 20 * kZoom)[0], 255);
}

TEST_F(Overlays, ACropBeyondThePictureDarkensNothing) {
  style_.kind = OverlayKind::kNone;
  sample_.image.crop = {-10, -10, 100, 80};
  EXPECT_EQ(draw().at(1, 1)[0], 255);
}

TEST_F(Overlays, TheSelectedGroupStandsOut) {
  style_.kind = OverlayKind::kNone;
  input_.selected_patch = 0;
  ASSERT_TRUE(shares(0, 1));
  const PixelSurface surface = draw();
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    const bool selected = shares(patch, 0);
    EXPECT_EQ(at(surface, patch, 0.5, 0.5)[0] == 255, selected) << patch;
  }
  EXPECT_LT(distance(at(surface, 0, 0.01, 0.5), kAmber), 20);
  EXPECT_EQ(at(surface, 0, 0.99, 0.5), (Pixel{255, 255, 255})) << "a line inside the group";
}

TEST_F(Overlays, TheHoveredGroupHasAWhiteLine) {
  style_.kind = OverlayKind::kNone;
  input_.hovered_patch = 0;
  const PixelSurface surface = draw(kZoom, 120);
  EXPECT_GT(at(surface, 0, 0.005, 0.5)[0], 220);
  EXPECT_LT(at(surface, 0, 0.04, 0.5)[0], 90) << "no halo";
  EXPECT_EQ(at(surface, 0, 0.5, 0.5), (Pixel{120, 120, 120}));
  EXPECT_EQ(at(surface, 20, 0.5, 0.5), (Pixel{120, 120, 120}));
}

TEST_F(Overlays, NothingIsDrawnForWhatABlockDoesNotHave) {
  style_.dim_outside = false;
  LayerTrace& layer = sample_.result.layers[2];
  layer.salience.clear();
  shows_lens_ = false;
  for (const OverlayKind kind :
       {OverlayKind::kSalience, OverlayKind::kAttention, OverlayKind::kDifference}) {
    style_.kind = kind;
    EXPECT_EQ(at(draw(), 3, 0.5, 0.5), (Pixel{255, 255, 255}));
  }
}

TEST_F(Overlays, ComponentsShowTheirColoursAndHatchThePatchesWithoutOne) {
  LensMap map;
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    map.colors.push_back({static_cast<std::uint8_t>(10 * patch), 40, 200});
    map.hatched.push_back(patch == 9);
  }
  input_.lens = &map;
  shows_lens_ = false;
  style_.kind = OverlayKind::kComponents;
  const PixelSurface surface = draw();
  for (int patch = 0; patch < kRows * kColumns; ++patch) {
    const Pixel color{10 * patch, 40, 200};
    bool plain = true;
    for (double x = 0.05; x < 1; x += 0.05) plain = plain && at(surface, patch, x, 0.5) == color;
    EXPECT_EQ(plain, patch != 9) << patch;
  }
}

TEST_F(Overlays, RejectWhatDoesNotFit) {
  const auto drawing = [&] { draw(); };
  input_.layer = 4;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("layer 4 is out of range")));
  input_.layer = -1;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("layer -1 is out of range")));
  input_.layer = 2;
  input_.grid_width = 5;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("does not fit a grid of 4 x 5 patches")));
  input_.grid_width = kColumns;
  input_.selected_patch = 24;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("patch 24 is out of range")));
  input_.selected_patch.reset();
  const std::vector<int> few{0, 1};
  input_.other_groups = &few;
  style_.kind = OverlayKind::kDifference;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("cannot be compared")));
  LensMap map;
  map.values = {1, 2};
  input_.lens = &map;
  shows_lens_ = false;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("lens shows does not fit a grid")));
  input_.image = nullptr;
  EXPECT_THAT(drawing, ThrowsMessage<Error>(HasSubstr("needs a prepared picture")));
}

TEST(GroupDifference, ComparesMembersNotNumbers) {
  using testing::ElementsAre;
  EXPECT_THAT(groupDifference({0, 0, 1, 2}, {5, 5, 0, 1}), ElementsAre(false, false, false, false));
  EXPECT_THAT(groupDifference({0, 0, 1, 2}, {0, 0, 0, 1}), ElementsAre(true, true, true, false));
  EXPECT_THAT(groupDifference({0, 0, 1, 1}, {0, 1, 1, 0}), ElementsAre(true, true, true, true));
}

}  // namespace
}  // namespace adamerge
