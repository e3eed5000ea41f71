// SPDX-License-Identifier: GPL-3.0-or-later
#include "measured_images.h"

#include <fmt/format.h>

#include <fstream>

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
constexpr int kSide = 32;

std::string ppm(const std::vector<std::uint8_t>& pixels) {
  return fmt::format("P6 {} {} 255\n", kSide, kSide) + std::string(pixels.begin(), pixels.end());
}

}  // namespace

const Engine& bundledEngine() {
  static const Engine engine =
      Engine::load(fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10", {.device = "cpu", .threads = 1});
  return engine;
}

std::vector<std::uint8_t> patternPixels(int number) {
  std::vector<std::uint8_t> pixels;
  std::uint32_t state = 97U * static_cast<std::uint32_t>(number) + 1U;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        state = state * 1664525U + 1013904223U;
        const int wave = (x * (number + 1) + y * (channel + 2)) % 160;
        pixels.push_back(static_cast<std::uint8_t>(wave + static_cast<int>(state >> 26U)));
      }
    }
  }
  return pixels;
}

void writeBytes(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

void writeCifarBatch(const fs::path& file, const std::vector<int>& labels) {
  std::string bytes;
  for (std::size_t number = 0; number < labels.size(); ++number) {
    const std::vector<std::uint8_t> pixels = patternPixels(static_cast<int>(number));
    bytes.push_back(static_cast<char>(labels[number]));
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t at = channel; at < pixels.size(); at += 3) {
        bytes.push_back(static_cast<char>(pixels[at]));
      }
    }
  }
  writeBytes(file, bytes);
}

void makeClassFolders(const fs::path& folder) {
  const fs::path samples = fs::path(ADAMERGE_MODELS) / "../resources/samples";
  int number = 0;
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"airplane", "airplane"},
                                                        {"automobile", "Automobile"},
                                                        {"bird", "BIRD"},
                                                        {"ship", "ship"}}) {
    fs::create_directories(folder / to);
    fs::copy_file(samples / (from + ".png"), folder / to / "drawn.png");
    for (int k = 0; k < 2; ++k) {
      writeBytes(folder / to / fmt::format("pattern {}.ppm", k), ppm(patternPixels(number++)));
    }
  }
}

void writePictureRows(const fs::path& file, const fs::path& dataset,
                      const std::vector<DrawnOutcome>& outcomes) {
  std::string text = "image,label,class,method,settings,statistics";
  for (int place = 1; place <= 5; ++place) {
    text += fmt::format(",top{0}_index,top{0}_class,top{0}_probability", place);
  }
  text +=
      ",class_probability,right,logit_cosine,embedding_cosine,merged,merged_1,flops_paper,edges,"
      "entropy,pixels,model,dataset\r\n";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const DrawnOutcome& own = outcomes[i];
    const auto row = [&](const char* setting, int top, double probability, int merged) {
      text += fmt::format(
          "\"{}.png\",{},\"class {}\",{},{},\"class {}\",{},,,,,,,,,,,,,{},{:d},1,1,{},{},1,{},7,"
          "0000000000000000,\"drawn\",\"{}\"\r\n",
          i, own.label, own.label, setting, top, top, top == own.label ? probability : 0.6,
          probability, top == own.label, merged, merged, own.edges, dataset.string());
    };
    row("none,\"{}\",", own.before, own.probability_before, 0);
    row("tome,\"{\"\"r\"\":8}\",", own.after, own.probability_after, own.merged);
  }
  writeBytes(file, text);
}

std::string totals(Evaluation evaluation) {
  for (EvaluatedPoint& point : evaluation.points) point.accuracy.images_per_second.reset();
  return evaluationJson(evaluation, "") + evaluationCsv(evaluation);
}

}  // namespace adamerge::test
