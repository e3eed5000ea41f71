// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/patches.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "adamerge/error.h"

namespace adamerge {
namespace {

constexpr double kFewestPixels = 64;
constexpr double kMostPixels = 2048;
constexpr double kMostOfPicture = 4096;
/// How much of the picture's local contrast a heat map keeps.
constexpr double kShading = 0.5;

struct Range {
  int begin = 0;
  int end = 0;
};

/// A view smaller than its grid still gives every patch a pixel.
Range patchRange(int index, int count, int size) {
  const auto edge = [&](int i) {
    return static_cast<int>(static_cast<std::int64_t>(i) * size / count);
  };
  const int begin = std::min(edge(index), size - 1);
  return {begin, std::max(edge(index + 1), begin + 1)};
}

double luminance(const std::uint8_t* pixel) {
  return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

std::uint8_t toByte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

template <typename Visit>
void forEachPixel(const Image& image, const Grid& grid, int patch, Visit visit) {
  const Range rows = patchRange(patch / grid.width, grid.height, image.height);
  const Range columns = patchRange(patch % grid.width, grid.width, image.width);
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int x = columns.begin; x < columns.end; ++x) visit(x, y);
  }
}

int wholePixels(double wanted, int cells) {
  return std::max(static_cast<int>(std::ceil(wanted / cells)), 1) * cells;
}

Image resized(const Image& image, int width, int height) {
  Image result{width, height, {}};
  result.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  const cv::Mat source(image.height, image.width, CV_8UC3,
                       const_cast<std::uint8_t*>(image.pixels.data()));
  cv::Mat target(height, width, CV_8UC3, result.pixels.data());
  const bool smaller = width < image.width || height < image.height;
  cv::resize(source, target, target.size(), 0, 0, smaller ? cv::INTER_AREA : cv::INTER_CUBIC);
  return result;
}

}  // namespace

Image panelImage(const Image& view, const Grid& grid, double pixels) {
  const double wanted = std::clamp(pixels, kFewestPixels, kMostPixels);
  // The longer side decides, so that a slender view does not become a giant.
  const double scale = wanted / std::max(view.width, view.height);
  return resized(view, wholePixels(view.width * scale, grid.width),
                 wholePixels(view.height * scale, grid.height));
}

Image reducedImage(const Image& picture, double pixels) {
  const double scale = std::clamp(pixels, kFewestPixels, kMostOfPicture) / picture.width;
  if (scale >= 1) return picture;
  const auto side = [&](int length) {
    return std::max(static_cast<int>(std::lround(length * scale)), 1);
  };
  return resized(picture, side(picture.width), side(picture.height));
}

Image gridImage(const Grid& grid, const PatchColors& colors) {
  Image image{grid.width, grid.height, {}};
  image.pixels.reserve(colors.size() * 3);
  for (const auto& color : colors) {
    image.pixels.insert(image.pixels.end(), color.begin(), color.end());
  }
  return image;
}

Image heatImage(const std::vector<float>& positions, const Grid& grid, Colormap colormap,
                bool smooth, int width, int height) {
  cv::Mat map(height, width, CV_32FC1);
  const cv::Mat cells(grid.height, grid.width, CV_32FC1, const_cast<float*>(positions.data()));
  cv::resize(cells, map, map.size(), 0, 0, smooth ? cv::INTER_LINEAR : cv::INTER_NEAREST);
  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto color = colormapColor(colormap, map.at<float>(y, x));
      std::copy(color.begin(), color.end(), image.at(x, y));
    }
  }
  return image;
}

Image shadedImage(const Image& panel, const Grid& grid, const Image& colors) {
  Image image = colors;
  for (int patch = 0; patch < grid.patches(); ++patch) {
    double sum = 0;
    int count = 0;
    forEachPixel(panel, grid, patch, [&](int x, int y) {
      sum += luminance(panel.at(x, y));
      ++count;
    });
    const double mean = sum / count;
    forEachPixel(panel, grid, patch, [&](int x, int y) {
      const double shade = kShading * (luminance(panel.at(x, y)) - mean);
      for (std::size_t i = 0; i < 3; ++i) image.at(x, y)[i] = toByte(colors.at(x, y)[i] + shade);
    });
  }
  return image;
}

std::vector<Segment> groupBoundaries(const std::vector<int>& groups, const Grid& grid,
                                     const Box& box) {
  std::vector<Segment> segments;
  const double step_x = box.width / grid.width;
  const double step_y = box.height / grid.height;
  const auto differ = [&](int a, int b) {
    return groups[static_cast<std::size_t>(a)] != groups[static_cast<std::size_t>(b)];
  };
  // `edge(i)`: whether there is a boundary at place i of a grid line with `count` places.
  const auto runs = [](int count, const auto& edge, const auto& add) {
    int begin = -1;
    for (int i = 0; i <= count; ++i) {
      const bool here = i < count && edge(i);
      if (here && begin < 0) begin = i;
      if (!here && begin >= 0) {
        add(begin, i);
        begin = -1;
      }
    }
  };
  for (int row = 1; row < grid.height; ++row) {
    const double y = box.y + row * step_y;
    runs(
        grid.width, [&](int i) { return differ(grid.at(row - 1, i), grid.at(row, i)); },
        [&](int from, int to) {
          segments.push_back({{box.x + from * step_x, y}, {box.x + to * step_x, y}});
        });
  }
  for (int column = 1; column < grid.width; ++column) {
    const double x = box.x + column * step_x;
    runs(
        grid.height, [&](int i) { return differ(grid.at(i, column - 1), grid.at(i, column)); },
        [&](int from, int to) {
          segments.push_back({{x, box.y + from * step_y}, {x, box.y + to * step_y}});
        });
  }
  return segments;
}

Box patchBox(int patch, const Grid& grid, const Box& box) {
  const double width = box.width / grid.width;
  const double height = box.height / grid.height;
  return {box.x + (patch % grid.width) * width, box.y + (patch / grid.width) * height, width,
          height};
}

PatchColors groupColors(const Image& view, int grid_height, int grid_width,
                        const std::vector<int>& groups) {
  const Grid grid{grid_height, grid_width};
  if (grid_height < 1 || grid_width < 1 || view.width < 1 || view.height < 1 ||
      view.pixels.size() != static_cast<std::size_t>(view.width) * view.height * 3 ||
      groups.size() != static_cast<std::size_t>(grid_height) * grid_width ||
      *std::min_element(groups.begin(), groups.end()) < 0) {
    throw Error("the picture, the patch grid and the groups of a figure do not fit together");
  }
  struct Sum {
    std::array<std::uint64_t, 3> values{};
    std::uint64_t count = 0;
  };
  std::vector<Sum> sums(static_cast<std::size_t>(*std::max_element(groups.begin(), groups.end())) +
                        1);
  for (int patch = 0; patch < grid.patches(); ++patch) {
    Sum& sum = sums[static_cast<std::size_t>(groups[static_cast<std::size_t>(patch)])];
    const Range rows = patchRange(patch / grid.width, grid.height, view.height);
    const Range columns = patchRange(patch % grid.width, grid.width, view.width);
    std::uint64_t red = 0;
    std::uint64_t green = 0;
    std::uint64_t blue = 0;
    for (int y = rows.begin; y < rows.end; ++y) {
      const std::uint8_t* pixel = view.at(columns.begin, y);
      const std::uint8_t* const end = pixel + 3 * (columns.end - columns.begin);
      for (; pixel != end; pixel += 3) {
        red += pixel[0];
        green += pixel[1];
        blue += pixel[2];
      }
    }
    sum.values[0] += red;
    sum.values[1] += green;
    sum.values[2] += blue;
    sum.count += static_cast<std::uint64_t>(rows.end - rows.begin) *
                 static_cast<std::uint64_t>(columns.end - columns.begin);
  }
  PatchColors colors(groups.size());
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    const Sum& sum = sums[static_cast<std::size_t>(groups[patch])];
    for (std::size_t i = 0; i < 3; ++i) {
      colors[patch][i] = static_cast<std::uint8_t>((sum.values[i] + sum.count / 2) / sum.count);
    }
  }
  return colors;
}

void requireLayer(int layer, std::size_t count) {
  if (count > 0 && layer >= 0 && static_cast<std::size_t>(layer) < count) return;
  throw Error(fmt::format("layer {} is out of range: the trace has layers 0 to {}", layer,
                          static_cast<int>(count) - 1));
}

void requireGrid(int height, int width) {
  if (height >= 1 && width >= 1) return;
  throw Error(fmt::format("a patch grid of {} x {} cannot be drawn", height, width));
}

void requireTrace(const LayerTrace& trace, std::size_t index, const Grid& grid) {
  const auto patches = static_cast<std::size_t>(grid.patches());
  const bool fits = trace.groups.size() == patches &&
                    (trace.salience.empty() || trace.salience.size() == patches) &&
                    (trace.attention.empty() || trace.attention.size() == patches) &&
                    std::all_of(trace.groups.begin(), trace.groups.end(), [&](int group) {
                      return group >= 0 && static_cast<std::size_t>(group) < patches;
                    });
  if (fits) return;
  throw Error(fmt::format("the trace of layer {} does not fit a grid of {} x {} patches", index,
                          grid.height, grid.width));
}

void requireLensMap(const LensMap& map, const Grid& grid) {
  const auto patches = static_cast<std::size_t>(grid.patches());
  const auto fits = [patches](std::size_t size) { return size == 0 || size == patches; };
  if (fits(map.values.size()) && fits(map.colors.size()) && fits(map.hatched.size())) return;
  throw Error(fmt::format("what the lens shows does not fit a grid of {} x {} patches", grid.height,
                          grid.width));
}

}  // namespace adamerge
