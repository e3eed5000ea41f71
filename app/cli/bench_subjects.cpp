// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "adamerge/benchmark.h"
#include "adamerge/calibrate.h"
#include "input_images.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

/// Shares of the patches that one block may merge; between them the statistics are interpolated.
constexpr std::array kCalibratedShares{0.06, 0.12, 0.18};

}  // namespace

void BenchSubjects::addTo(CLI::App& command) {
  takesText(*command.add_option("--architecture", architectures_,
                                "Instead of a model: random weights of vit_SIZE_patchP_INPUT, SIZE "
                                "one of tiny, small, base, large, huge, as "
                                "vit_tiny_patch16_224,vit_base_patch16_384; what adapts to the "
                                "image is calibrated on the benchmark's own images"),
            "LIST");
  takesText(*command.add_option("--images", images_,
                                "Image or folder to run on (default: made images, from smooth "
                                "colours to noise)"),
            "PATH");
}

void BenchSubjects::check() const {
  if (!architectures_.empty() && engine_.namesModel()) {
    throw UsageError("--architecture and --model exclude each other: random weights or a model's");
  }
}

std::vector<std::string> BenchSubjects::names() const {
  std::vector<std::string> list;
  std::istringstream text(architectures_);
  for (std::string name; std::getline(text, name, ',');) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }
  return list.empty() ? std::vector<std::string>{""} : list;
}

Engine BenchSubjects::load(const std::string& name, Terminal& terminal,
                           const std::stop_token& stop) const {
  if (architectures_.empty()) return engine_.load(terminal, stop);
  return asUsage([&] { return Engine::untrained(name, engine_.options()); }, "--architecture: ");
}

BenchImages BenchSubjects::images(const Engine& engine, std::size_t count, Terminal& terminal,
                                  const std::stop_token& stop) const {
  if (images_.empty()) {
    return {syntheticImages(engine.info().vit, count, engine_.seed()), /*skipped=*/0};
  }
  ImageSource files = openImages(images_, count, engine_.seed(), engine, terminal, stop);
  std::vector<InputTensor> inputs = files.readAll(stop);
  return {std::move(inputs), files.skipped()};
}

std::string BenchSubjects::imagesText() const {
  if (images_.empty()) return fmt::format("made, seed {}", engine_.seed());
  return fmt::format("{}, drawn by seed {}", images_, engine_.seed());
}

void calibrateUntrained(Engine& engine, const std::vector<InputTensor>& images,
                        const std::vector<MethodChoice>& methods, Terminal& terminal,
                        const std::stop_token& stop) {
  const auto adaptive = std::find_if(
      methods.begin(), methods.end(),
      [](const MethodChoice& method) { return usesStatistics(method) && !method.statistics; });
  if (adaptive == methods.end()) return;
  CalibrationOptions options;
  options.choice = *adaptive;
  options.source = "the benchmark's own images";
  for (const double share : kCalibratedShares) {
    if (engine.info().vit.restores()) {
      options.r_max.push_back(static_cast<int>(share * 100));
      continue;
    }
    options.r_max.push_back(std::max(static_cast<int>(share * engine.info().vit.patchTokens()),
                                     static_cast<int>(options.r_max.size()) + 1));
  }
  const auto read = [&](std::size_t first, std::size_t count) {
    const auto begin = images.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<InputTensor>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  engine.setStatistics(std::make_shared<const Statistics>(
      calibrate(engine, read, images.size(), options, terminal.callback(), stop)));
}

}  // namespace adamerge::cli
