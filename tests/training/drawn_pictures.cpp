// SPDX-License-Identifier: GPL-3.0-or-later
#include "drawn_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <random>

namespace adamerge::test {
namespace {

constexpr int kSide = 12;
const std::vector<std::string> kClasses = {"columns", "diagonals", "rows"};

/// Radians of the stripes' wave at a pixel.
double wave(int label, int x, int y) {
  switch (label) {
    case 0:
      return 1.6 * x;
    case 1:
      return 1.1 * (x + y);
    default:
      return 1.6 * y;
  }
}

}  // namespace

training::Pictures drawnPictures(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  std::normal_distribution<double> noise(0.0, 12.0);
  training::Pictures pictures;
  for (int i = 0; i < count; ++i) {
    const int label = i % static_cast<int>(kClasses.size());
    const double phase = 6.28 * unit(random);
    const std::array<double, 3> colour{unit(random), unit(random), unit(random)};
    Image image{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3)};
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const double light = 127 + 100 * std::sin(wave(label, x, y) + phase);
        for (std::size_t c = 0; c < 3; ++c) {
          const double value = light * (0.5 + 0.5 * colour[c]) + noise(random);
          image.at(x, y)[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
        }
      }
    }
    pictures.images.push_back(std::move(image));
    pictures.labels.push_back(label);
  }
  return pictures;
}

training::TrainingData drawnData() {
  training::TrainingData data;
  data.classes = kClasses;
  data.training = drawnPictures(300, 1);
  data.test = drawnPictures(90, 2);
  data.fingerprint = "drawn";
  return data;
}

void writePictures(const std::filesystem::path& folder, const training::TrainingData& data) {
  for (std::size_t i = 0; i < data.training.size(); ++i) {
    const Image& image = data.training.images[i];
    const std::filesystem::path path =
        folder / data.classes[static_cast<std::size_t>(data.training.labels[i])] /
        fmt::format("{:03}.ppm", i);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << fmt::format("P6 {} {} 255\n", image.width, image.height);
    file.write(reinterpret_cast<const char*>(image.pixels.data()),
               static_cast<std::streamsize>(image.pixels.size()));
  }
}

training::Recipe smallRecipe() {
  training::Recipe recipe;
  recipe.image_size = 16;
  recipe.patch_size = 4;
  recipe.width = 32;
  recipe.depth = 2;
  recipe.heads = 2;
  recipe.mlp_ratio = 2;
  recipe.epochs = 6;
  recipe.batch = 20;
  recipe.learning_rate = 3e-3;
  recipe.padding = 1;
  recipe.flip = false;
  recipe.log_every = 4;
  recipe.keep_patches = {{0.5, 0.4}};
  return recipe;
}

}  // namespace adamerge::test
