// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <numbers>
#include <random>

#include "adamerge/benchmark.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

/// Parts of the golden ratio fall evenly between 0 and 1 however many are taken.
double spreadShare(std::size_t index) {
  constexpr double kGolden = 0.618033988749895;
  return std::fmod(static_cast<double>(index) * kGolden, 1.0);
}

InputTensor syntheticImage(const VitConfig& vit, double noise, std::mt19937& random) {
  // The library's distributions differ between its versions; the generator's numbers do not.
  const auto uniform = [&] { return static_cast<double>(random()) / 4294967296.0; };
  InputTensor image{vit.input_height, vit.input_width, {}};
  image.values.reserve(static_cast<std::size_t>(3) * vit.input_height * vit.input_width);
  for (int channel = 0; channel < 3; ++channel) {
    const double turns_down = 2 * uniform();
    const double turns_right = 2 * uniform();
    const double phase = uniform();
    for (int y = 0; y < vit.input_height; ++y) {
      throwIfStopWithin();
      for (int x = 0; x < vit.input_width; ++x) {
        const double turns =
            turns_down * y / vit.input_height + turns_right * x / vit.input_width + phase;
        const double smooth = std::sin(2 * std::numbers::pi * turns);
        image.values.push_back(
            static_cast<float>((1 - noise) * smooth + noise * (2 * uniform() - 1)));
      }
    }
  }
  return image;
}

}  // namespace

std::vector<InputTensor> syntheticImages(const VitConfig& vit, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<InputTensor> images;
  for (std::size_t i = 0; i < count; ++i) {
    images.push_back(syntheticImage(vit, spreadShare(i), random));
  }
  return images;
}

}  // namespace adamerge
