// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspection.h"

#include <fmt/format.h>

#include <span>
#include <utility>

namespace adamerge::cli {
namespace {

PreparedMethod prepared(const Engine& engine, const MethodChoice& choice) {
  requireSettingsSuit(choice, engine.info().vit, engine.info().name, /*strict=*/true);
  return engine.prepare(choice);
}

}  // namespace

Inspection::Inspection(const Engine& engine, const MethodChoice& choice)
    : engine_(engine), method_(prepared(engine, choice)), unmerged_(engine.prepare({})) {}

InspectedImage Inspection::inspect(const std::string& name, Image image,
                                   const std::stop_token& stop) const {
  InspectedImage inspected;
  inspected.original = std::make_shared<const Image>(std::move(image));
  inspected.prepared = prepareImage(*inspected.original, engine_.info().preprocessing);
  InspectReport& report = inspected.report;
  report.image = name;
  report.image_height = inspected.original->height;
  report.image_width = inspected.original->width;
  report.crop = inspected.prepared.crop;
  report.choice = method_.choice();
  run(inspected, stop);
  report.change = featureChanges(*report.result.recording, *report.baseline.recording);
  return inspected;
}

void Inspection::recordAgain(InspectedImage& image, const std::stop_token& stop) const {
  if (image.report.result.recording == nullptr) run(image, stop);
}

void Inspection::run(InspectedImage& image, const std::stop_token& stop) const {
  const std::span input(&image.prepared.input, 1);
  RunOptions how{.trace = true, .features = true, .record = true};
  image.report.result = engine_.run(input, method_, how, stop).front();
  how.trace = false;
  image.report.baseline = engine_.run(input, unmerged_, how, stop).front();
}

std::vector<std::filesystem::path> Inspection::writeFigures(const InspectedImage& image,
                                                            FigureOptions& figures,
                                                            const LensOptions& lenses,
                                                            const std::stop_token& stop) const {
  const InspectReport& report = image.report;
  const VitConfig& vit = engine_.info().vit;
  const std::filesystem::path file(report.image);
  FigureInput input;
  input.title = file.filename().string();
  input.subtitle = describe(report.choice, vit);
  input.image = image.prepared;
  input.grid_height = vit.gridHeight();
  input.grid_width = vit.gridWidth();
  input.prefix_tokens = vit.prefixTokens();
  input.result = report.result;
  input.original = image.original;
  input.prompts = promptsOf(report.choice.settings);
  input.unmerged_flops = report.baseline.flops.paper;
  const auto lens = [&](const std::string& kind, int block) {
    return lenses.pictures(kind, figures.overlay(), report.result, report.baseline, vit, block,
                           stop);
  };
  const auto provenance = [&](int block) {
    return provenanceJson(engine_.info(), engine_.device(), engine_.dtype(), report.image,
                          report.choice, block);
  };
  return figures.write(std::move(input), file.stem().string(), lens, provenance);
}

void checkFigures(FigureOptions& figures, const MethodChoice& choice) {
  const MethodInfo& method = findMethod(choice.method);
  figures.check(method.salience.empty()
                    ? fmt::format("the method '{}' computes no salience", method.id)
                    : std::string());
}

void requireLayers(const FigureOptions& figures, const ModelInfo& model) {
  for (const int layer : figures.layers()) {
    if (layer >= 0 && layer < model.vit.depth) continue;
    throw Error(fmt::format("--layer {} is out of range: {} has blocks 0 to {}", layer, model.name,
                            model.vit.depth - 1));
  }
}

}  // namespace adamerge::cli
