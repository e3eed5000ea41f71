// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adamerge::imaging {
namespace {

/// Pillow's: integers of 22 bits, since 8 are the result's and 2 leave room for overshoot.
struct Fixed {
  using Sample = std::uint8_t;
  using Weight = int;
  static constexpr int kPrecision = 32 - 8 - 2;
  static constexpr int kStart = 1 << (kPrecision - 1);

  static int weight(double exact) {
    return static_cast<int>(std::copysign(0.5, exact) + exact * (1 << kPrecision));
  }
  static std::uint8_t sample(int sum) {
    return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
  }
};

/// torchvision's, for tensors of floats.
struct Floating {
  using Sample = float;
  using Weight = float;
  static constexpr float kStart = 0;

  static float weight(double exact) { return static_cast<float>(exact); }
  static float sample(float sum) { return sum; }
};

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
template <typename Weight>
struct Taps {
  struct Span {
    int first = 0;
    int count = 0;
  };
  std::vector<Span> spans;
  std::vector<Weight> weights;  ///< `stride` per span
  std::size_t stride = 0;
  int inputFirst = 0;
  int inputEnd = 0;
};

template <typename Arithmetic, typename Weight = typename Arithmetic::Weight>
Taps<Weight> makeTaps(int inputSize, int outputSize, int first, int count, const Filter& filter) {
  const double scale = static_cast<double>(inputSize) / outputSize;
  const double filterScale = std::max(scale, 1.0);
  const double support = filter.support * filterScale;
  Taps<Weight> taps;
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
    Weight* weights = taps.weights.data() + taps.stride * static_cast<std::size_t>(i);
    for (int k = 0; k < end - begin; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0.0) weight /= sum;
      weights[k] = Arithmetic::weight(weight);
    }
    taps.spans[static_cast<std::size_t>(i)] = {begin, end - begin};
    taps.inputFirst = std::min(taps.inputFirst, begin);
    taps.inputEnd = std::max(taps.inputEnd, end);
  }
  return taps;
}

/// Interleaved red, green and blue.
template <typename Sample>
using Rows = std::vector<Sample>;

/// Rows [firstRow, firstRow + rows) of `image`.
template <typename Arithmetic, typename Sample = typename Arithmetic::Sample>
Rows<Sample> horizontalPass(const Image& image, const Taps<typename Arithmetic::Weight>& taps,
                            int firstRow, int rows) {
  Rows<Sample> out(taps.spans.size() * static_cast<std::size_t>(rows) * 3);
  Sample* pixel = out.data();
  for (int y = 0; y < rows; ++y) {
    const auto* weights = taps.weights.data();
    for (const auto& span : taps.spans) {
      const std::uint8_t* from = image.at(span.first, firstRow + y);
      auto red = Arithmetic::kStart;
      auto green = red;
      auto blue = red;
      for (int k = 0; k < span.count; ++k, from += 3) {
        red += from[0] * weights[k];
        green += from[1] * weights[k];
        blue += from[2] * weights[k];
      }
      pixel[0] = Arithmetic::sample(red);
      pixel[1] = Arithmetic::sample(green);
      pixel[2] = Arithmetic::sample(blue);
      pixel += 3;
      weights += taps.stride;
    }
  }
  return out;
}

/// `in`, of `samples` a row, begins at row `firstRow` of what the taps count.
template <typename Arithmetic, typename Sample = typename Arithmetic::Sample>
Rows<Sample> verticalPass(const Rows<Sample>& in, std::size_t samples,
                          const Taps<typename Arithmetic::Weight>& taps, int firstRow) {
  Rows<Sample> out(samples * taps.spans.size());
  std::vector<typename Arithmetic::Weight> sums(samples);
  for (std::size_t y = 0; y < taps.spans.size(); ++y) {
    const auto& span = taps.spans[y];
    const auto* weights = taps.weights.data() + taps.stride * y;
    std::fill(sums.begin(), sums.end(), Arithmetic::kStart);
    for (int k = 0; k < span.count; ++k) {
      const Sample* row = in.data() + samples * static_cast<std::size_t>(span.first + k - firstRow);
      const auto weight = weights[k];
      for (std::size_t i = 0; i < samples; ++i) sums[i] += row[i] * weight;
    }
    std::transform(sums.begin(), sums.end(), out.begin() + static_cast<std::ptrdiff_t>(samples * y),
                   Arithmetic::sample);
  }
  return out;
}

template <typename Arithmetic>
Rows<typename Arithmetic::Sample> filtered(const Image& image, int width, int height,
                                           Interpolation interpolation, const Window& window) {
  const Filter filter = filterOf(interpolation);
  // At equal size the weights are 0 and 1, so that a pass only cuts out, as Pillow does.
  const auto columns = makeTaps<Arithmetic>(image.width, width, window.x, window.width, filter);
  const auto rows = makeTaps<Arithmetic>(image.height, height, window.y, window.height, filter);
  const int first = rows.inputFirst;
  return verticalPass<Arithmetic>(
      horizontalPass<Arithmetic>(image, columns, first, rows.inputEnd - first),
      columns.spans.size() * 3, rows, first);
}

/// Input coordinate of each output coordinate. Pillow adds the step up; so do we, as multiplying
/// would round otherwise, but for lengths at which adding would take seconds.
std::vector<int> nearestInputs(int inputSize, int outputSize, int first, int count) {
  const double step = static_cast<double>(inputSize) / outputSize;
  constexpr int kMostSteps = 1 << 24;
  int i = first > kMostSteps ? first : 0;
  double at = step * (i + 0.5);
  std::vector<int> inputs;
  for (; i < first + count; ++i, at += step) {
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
  return {window.width, window.height,
          filtered<Fixed>(image, width, height, interpolation, window)};
}

std::vector<float> resampleFloat(const Image& image, int width, int height,
                                 Interpolation interpolation, const Window& window) {
  if (interpolation == Interpolation::kNearest) {
    const Image picked = nearest(image, width, height, window);
    return {picked.pixels.begin(), picked.pixels.end()};
  }
  return filtered<Floating>(image, width, height, interpolation, window);
}

}  // namespace adamerge::imaging
