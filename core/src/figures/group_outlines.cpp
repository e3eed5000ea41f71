// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "figures/patch_marks.h"

namespace adamerge {
namespace {

/// Okabe and Ito's, without black.
constexpr std::array<unsigned, 7> kOutlineColors{0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442,
                                                 0x0072B2, 0xD55E00, 0xCC79A7};

constexpr int kOutlineCount = static_cast<int>(kOutlineColors.size());

/// Past the palette, which hardly ever is too small, hues a golden section apart.
Color outlineColor(int number, double opacity) {
  if (number < kOutlineCount) return rgb(kOutlineColors[static_cast<std::size_t>(number)], opacity);
  constexpr double kGolden = 0.381966;
  const auto part = [hue = kGolden * (number - kOutlineCount)](double shift) {
    return 0.5 + 0.4 * std::cos(2 * std::numbers::pi * (hue + shift));
  };
  return {part(0), part(1.0 / 3), part(2.0 / 3), opacity};
}

/// A group of several patches in the colouring of one block.
struct Colored {
  int first = -1;  ///< its first patch
  int size = 0;
  int color = -1;               ///< kept from the block before
  std::vector<int> neighbours;  ///< groups of several patches that it touches
};

/// By group number. `before`: the patches' colours after the block before.
std::vector<Colored> groupsToColor(const std::vector<int>& groups, const Grid& grid,
                                   const std::vector<int>& before) {
  std::vector<Colored> found(groups.size());
  std::vector<std::map<int, int>> shares(groups.size());
  for (int patch = 0; patch < grid.patches(); ++patch) {
    const auto group = static_cast<std::size_t>(groups[static_cast<std::size_t>(patch)]);
    if (found[group].size++ == 0) found[group].first = patch;
    const int color = before[static_cast<std::size_t>(patch)];
    if (color >= 0) ++shares[group][color];
  }
  for (std::size_t group = 0; group < found.size(); ++group) {
    int most = 0;
    for (const auto& [color, share] : shares[group]) {
      if (share > most) found[group].color = color;
      most = std::max(most, share);
    }
  }
  const auto touch = [&](int a, int b) {
    Colored& one = found[static_cast<std::size_t>(a)];
    Colored& other = found[static_cast<std::size_t>(b)];
    if (a == b || one.size < 2 || other.size < 2) return;
    one.neighbours.push_back(b);
    other.neighbours.push_back(a);
  };
  const auto at = [&](int row, int column) {
    return groups[static_cast<std::size_t>(grid.at(row, column))];
  };
  for (int row = 0; row < grid.height; ++row) {
    for (int column = 0; column < grid.width; ++column) {
      const int own = at(row, column);
      if (column + 1 < grid.width) touch(own, at(row, column + 1));
      if (row + 1 == grid.height) continue;
      for (int side = std::max(column - 1, 0); side <= std::min(column + 1, grid.width - 1);
           ++side) {
        touch(own, at(row + 1, side));
      }
    }
  }
  return found;
}

/// The first colour from `wanted` on that no neighbour has.
int freeColor(const Colored& group, const std::vector<Colored>& all, int wanted) {
  std::vector<bool> taken(static_cast<std::size_t>(kOutlineCount) + group.neighbours.size() + 1);
  for (const int neighbour : group.neighbours) {
    const int color = all[static_cast<std::size_t>(neighbour)].color;
    if (color >= 0 && static_cast<std::size_t>(color) < taken.size()) {
      taken[static_cast<std::size_t>(color)] = true;
    }
  }
  for (int step = 0; step < kOutlineCount; ++step) {
    const int color = (wanted + step) % kOutlineCount;
    if (!taken[static_cast<std::size_t>(color)]) return color;
  }
  const auto free = std::find(taken.begin() + kOutlineCount, taken.end(), false);
  return static_cast<int>(free - taken.begin());
}

/// Whether two patches are of one group; no patch outside the grid is.
class Membership {
 public:
  Membership(const std::vector<int>& groups, const Grid& grid) : groups_(groups), grid_(grid) {}

  bool same(int row, int column, int other_row, int other_column) const {
    if (other_row < 0 || other_column < 0) return false;
    if (other_row >= grid_.height || other_column >= grid_.width) return false;
    return at(row, column) == at(other_row, other_column);
  }

 private:
  int at(int row, int column) const {
    return groups_[static_cast<std::size_t>(grid_.at(row, column))];
  }

  const std::vector<int>& groups_;
  const Grid& grid_;
};

/// Calls add(patch, box) for boxes that cover the inner edge of every group, `thickness` wide, and
/// do not overlap; `patch` is one of the group.
template <typename Add>
void innerEdges(const PatchArea& area, const std::vector<int>& groups, double thickness, Add add) {
  const Grid& grid = area.grid;
  const Membership member(groups, grid);
  const double t = thickness;
  const auto boxAt = [&](int row, int column) {
    return patchBox(grid.at(row, column), grid, area.box);
  };
  for (int row = 0; row < grid.height; ++row) {
    for (const int down : {-1, 1}) {
      const auto edge = [&](int column) { return !member.same(row, column, row + down, column); };
      for (int column = 0; column < grid.width;) {
        const int first = column++;
        if (!edge(first)) continue;
        while (member.same(row, first, row, column) && edge(column)) ++column;
        const Box begin = boxAt(row, first);
        const double y = down < 0 ? begin.y : begin.bottom() - t;
        add(grid.at(row, first), Box{begin.x, y, boxAt(row, column - 1).right() - begin.x, t});
      }
    }
  }
  for (int column = 0; column < grid.width; ++column) {
    for (const int right : {-1, 1}) {
      const auto edge = [&](int row) { return !member.same(row, column, row, column + right); };
      for (int row = 0; row < grid.height;) {
        const int first = row++;
        if (!edge(first)) continue;
        while (member.same(first, column, row, column) && edge(row)) ++row;
        const Box begin = boxAt(first, column);
        // What edges above and below cover already.
        const double top = begin.y + (member.same(first, column, first - 1, column) ? 0 : t);
        const double bottom =
            boxAt(row - 1, column).bottom() - (member.same(row - 1, column, row, column) ? 0 : t);
        const double x = right < 0 ? begin.x : begin.right() - t;
        if (bottom > top) add(grid.at(first, column), Box{x, top, t, bottom - top});
      }
    }
  }
  for (int patch = 0; patch < grid.patches(); ++patch) {
    const int row = patch / grid.width;
    const int column = patch % grid.width;
    const auto inside = [&](int down, int right) {
      return member.same(row, column, row + down, column + right);
    };
    const Box cell = boxAt(row, column);
    for (const int down : {-1, 1}) {
      for (const int right : {-1, 1}) {
        // The edge turns around a corner of this patch.
        if (!inside(down, 0) || !inside(0, right) || inside(down, right)) continue;
        add(patch, Box{right < 0 ? cell.x : cell.right() - t, down < 0 ? cell.y : cell.bottom() - t,
                       t, t});
      }
    }
  }
}

/// Groups as lines tell them apart: where patches are a few pixels wide, those of one patch are all
/// one, or lines around each would cover the picture.
std::vector<int> toldApart(const PatchArea& area, const std::vector<int>& groups) {
  constexpr double kFine = 9;  ///< pixels
  if (area.cell() >= kFine * area.pixel) return groups;
  std::vector<int> sizes(groups.size(), 0);
  for (const int group : groups) ++sizes[static_cast<std::size_t>(group)];
  std::vector<int> told = groups;
  for (int& group : told) {
    if (sizes[static_cast<std::size_t>(group)] == 1) group = -1;
  }
  return told;
}

}  // namespace

void outlineGroups(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups) {
  const std::vector<Segment> lines = groupBoundaries(toldApart(area, groups), area.grid, area.box);
  const double line = area.width(0.07, 1.5);
  canvas.lines(lines, line + area.width(0.08, 1.75), kHalo, area.box);
  canvas.lines(lines, line, kOutline, area.box);
}

std::vector<int> outlineColors(const std::vector<LayerTrace>& layers, int layer, const Grid& grid) {
  std::vector<int> colors(static_cast<std::size_t>(grid.patches()), -1);
  // What was restored after a block has no groups to keep a colour for.
  const int first = layers[static_cast<std::size_t>(layer)].restored ? layer : 0;
  for (int block = first; block <= layer; ++block) {
    const std::vector<int>& groups = layers[static_cast<std::size_t>(block)].groups;
    std::vector<Colored> all = groupsToColor(groups, grid, colors);
    std::vector<int> order;
    for (std::size_t group = 0; group < all.size(); ++group) {
      if (all[group].size > 1) order.push_back(static_cast<int>(group));
    }
    // The largest keep theirs first.
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return all[static_cast<std::size_t>(a)].size > all[static_cast<std::size_t>(b)].size;
    });
    std::vector<int> kept(all.size(), -1);
    for (std::size_t group = 0; group < all.size(); ++group) {
      kept[group] = std::exchange(all[group].color, -1);
    }
    // Those that have a colour before those that have none yet.
    for (const bool new_ones : {false, true}) {
      for (const int group : order) {
        const auto index = static_cast<std::size_t>(group);
        if ((kept[index] < 0) != new_ones) continue;
        // Wherever there is a choice, patches near each other differ.
        const int first = all[index].first;
        const int own = first % grid.width + 3 * (first / grid.width);
        const bool past = kept[index] >= kOutlineCount;
        all[index].color = freeColor(all[index], all, new_ones || past ? own : kept[index]);
      }
    }
    for (std::size_t patch = 0; patch < colors.size(); ++patch) {
      colors[patch] = all[static_cast<std::size_t>(groups[patch])].color;
    }
  }
  return colors;
}

void outlineGroupsByColor(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups,
                          const std::vector<int>& colors, double opacity) {
  const double hairline = area.width(0.03, 0.75);
  const double line = area.width(0.1, 2.5);
  std::vector<Box> halo;
  std::map<int, std::vector<Box>> colored;
  const auto colorOf = [&](int patch) { return colors[static_cast<std::size_t>(patch)]; };
  innerEdges(area, groups, 2 * hairline + line, [&](int patch, const Box& box) {
    if (colorOf(patch) >= 0) halo.push_back(box);
  });
  innerEdges(area, groups, hairline + line, [&](int patch, const Box& box) {
    if (colorOf(patch) >= 0) colored[colorOf(patch)].push_back(box);
  });
  canvas.fillApart(halo, faded(kHalo, opacity));
  for (const auto& [number, boxes] : colored) {
    canvas.fillApart(boxes, outlineColor(number, opacity));
  }
  canvas.lines(groupBoundaries(toldApart(area, groups), area.grid, area.box), 2 * hairline,
               faded(kHalo, opacity), area.box);
}

}  // namespace adamerge
