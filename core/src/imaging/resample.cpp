// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adamerge::imaging {
namespace {

// 8 bits for the result, 2 for overshoot of the coefficients' sum.
constexpr int kPrecision = 32 - 8 - 2;

struct Filter {
  double (*weight)(double);
  double support;
};

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

Filter filterOf(Interpolation interpolation) {
  if (interpolation == Interpolation::kBilinear) return {bilinear, 1.0};
  if (interpolation == Interpolation::kLanczos) return {lanczos, 3.0};
  return {bicubic, 2.0};
}

/// Which input samples, with which weights, make each output sample of [first, first + count).
struct Taps {
  struct Span {
    int first = 0;
    int count = 0;
  };
  std::vector<Span> spans;
  std::vector<int> weights;  ///< `stride` per span
  std::size_t stride = 0;
  int inputFirst = 0;
  int inputEnd = 0;
};

Taps makeTaps(int inputSize, int outputSize, int first, int count, const Filter& filter) {
  const double scale = static_cast<double>(inputSize) / outputSize;
  const double filterScale = std::max(scale, 1.0);
  const double support = filter.support * filterScale;
  Taps taps;
  taps.stride = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  taps.spans.resize(static_cast<std::size_t>(count));
  taps.weights.resize(taps.stride * static_cast<std::size_t>(count));
  taps.inputFirst = inputSize;
  std::vector<double> exact(taps.stride);
  for (int i = 0; i < count; ++i) {
    const double center = (first + i + 0.5) * scale;
    const int begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), inputSize);
    double sum = 0.0;
    for (int k = 0; k < end - begin; ++k) {
      exact[static_cast<std::size_t>(k)] =
          filter.weight((k + begin - center + 0.5) * (1.0 / filterScale));
      sum += exact[static_cast<std::size_t>(k)];
    }
    int* weights = taps.weights.data() + taps.stride * static_cast<std::size_t>(i);
    for (int k = 0; k < end - begin; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0.0) weight /= sum;
      weights[k] = static_cast<int>(std::copysign(0.5, weight) + weight * (1 << kPrecision));
    }
    taps.spans[static_cast<std::size_t>(i)] = {begin, end - begin};
    taps.inputFirst = std::min(taps.inputFirst, begin);
    taps.inputEnd = std::max(taps.inputEnd, end);
  }
  return taps;
}

std::uint8_t clipped(int sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
}

/// Rows [firstRow, firstRow + rows) of `image`.
Image horizontalPass(const Image& image, const Taps& taps, int firstRow, int rows) {
  Image out{static_cast<int>(taps.spans.size()), rows, {}};
  out.pixels.resize(taps.spans.size() * static_cast<std::size_t>(rows) * 3);
  for (int y = 0; y < rows; ++y) {
    const int* weights = taps.weights.data();
    std::uint8_t* pixel = out.at(0, y);
    for (const Taps::Span& span : taps.spans) {
      const std::uint8_t* from = image.at(span.first, firstRow + y);
      int red = 1 << (kPrecision - 1);
      int green = red;
      int blue = red;
      for (int k = 0; k < span.count; ++k, from += 3) {
        red += from[0] * weights[k];
        green += from[1] * weights[k];
        blue += from[2] * weights[k];
      }
      pixel[0] = clipped(red);
      pixel[1] = clipped(green);
      pixel[2] = clipped(blue);
      pixel += 3;
      weights += taps.stride;
    }
  }
  return out;
}

/// `image` begins at row `firstRow` of what the taps count.
Image verticalPass(const Image& image, const Taps& taps, int firstRow) {
  Image out{image.width, static_cast<int>(taps.spans.size()), {}};
  const std::size_t samples = static_cast<std::size_t>(image.width) * 3;
  out.pixels.resize(samples * taps.spans.size());
  std::vector<int> sums(samples);
  for (std::size_t y = 0; y < taps.spans.size(); ++y) {
    const Taps::Span& span = taps.spans[y];
    const int* weights = taps.weights.data() + taps.stride * y;
    std::fill(sums.begin(), sums.end(), 1 << (kPrecision - 1));
    for (int k = 0; k < span.count; ++k) {
      const std::uint8_t* row = image.at(0, span.first + k - firstRow);
      const int weight = weights[k];
      for (std::size_t i = 0; i < samples; ++i) sums[i] += row[i] * weight;
    }
    std::transform(sums.begin(), sums.end(), out.at(0, static_cast<int>(y)), clipped);
  }
  return out;
}

/// Input coordinate of each output coordinate. Pillow adds the step up; so do we, as multiplying
/// would round otherwise.
std::vector<int> nearestInputs(int inputSize, int outputSize, int first, int count) {
  const double step = static_cast<double>(inputSize) / outputSize;
  double at = step * 0.5;
  std::vector<int> inputs;
  for (int i = 0; i < first + count; ++i, at += step) {
    if (i >= first) inputs.push_back(std::min(static_cast<int>(at), inputSize - 1));
  }
  return inputs;
}

Image nearest(const Image& image, int width, int height, const Window& window) {
  const std::vector<int> columns = nearestInputs(image.width, width, window.x, window.width);
  const std::vector<int> rows = nearestInputs(image.height, height, window.y, window.height);
  Image out{window.width, window.height, {}};
  out.pixels.resize(columns.size() * rows.size() * 3);
  std::uint8_t* pixel = out.pixels.data();
  for (const int row : rows) {
    for (const int column : columns) pixel = std::copy_n(image.at(column, row), 3, pixel);
  }
  return out;
}

}  // namespace

Image resample(const Image& image, int width, int height, Interpolation interpolation,
               const Window& window) {
  if (interpolation == Interpolation::kNearest) return nearest(image, width, height, window);
  const Filter filter = filterOf(interpolation);
  // At equal size the weights are 0 and 1, so that a pass only cuts out, as Pillow does.
  const Taps columns = makeTaps(image.width, width, window.x, window.width, filter);
  const Taps rows = makeTaps(image.height, height, window.y, window.height, filter);
  const int first = rows.inputFirst;
  return verticalPass(horizontalPass(image, columns, first, rows.inputEnd - first), rows, first);
}

}  // namespace adamerge::imaging
