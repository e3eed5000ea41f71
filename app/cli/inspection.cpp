// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspection.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "adamerge/evaluate.h"
#include "choice_options.h"

namespace adamerge::cli {
namespace {

PreparedMethod prepared(const Engine& engine, const MethodChoice& choice,
                        const std::stop_token& stop) {
  requireSettingsSuit(choice, engine.info().vit, engine.info().name, /*strict=*/true);
  return engine.prepare(choice, stop);
}

}  // namespace

Inspection::Inspection(const Engine& engine, const MethodChoice& choice,
                       const std::optional<MethodChoice>& against, const std::stop_token& stop)
    : engine_(engine), method_(prepared(engine, choice, stop)), unmerged_(engine.prepare({})) {
  if (!against) return;
  against_ = prepared(engine, *against, stop);
  const CompressionKnob* knob = compressionKnob(*against);
  equal_flops_ = knob != nullptr && !against->settings.contains(knob->key);
}

InspectedImage Inspection::inspect(const std::string& name, Image image,
                                   const std::stop_token& stop) const {
  InspectedImage inspected;
  inspected.original = std::make_shared<const Image>(std::move(image));
  inspected.prepared = prepareImage(*inspected.original, engine_.info().preprocessing);
  InspectReport& report = inspected.report;
  report.image = name;
  report.image_height = inspected.original->height;
  report.image_width = inspected.original->width;
  if (!inspected.original->note.empty()) report.notes.push_back(inspected.original->note);
  report.crop = inspected.prepared.crop;
  report.choice = method_.choice();
  run(inspected, stop);
  report.change = featureChanges(*report.result.recording, *report.baseline.recording);
  if (against_) runAgainst(inspected, stop);
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

void Inspection::runAgainst(InspectedImage& image, const std::stop_token& stop) const {
  const std::span input(&image.prepared.input, 1);
  InspectReport& report = image.report;
  const PreparedMethod* method = &*against_;
  std::optional<PreparedMethod> matched;
  if (equal_flops_) {
    const double target = report.result.flops.paper;
    const auto found = [&](const TierMatch& match) {
      if (match.near()) return;
      report.result.warnings.push_back(
          noNearer(describe(match.choice.choice, engine_.info().vit), match));
    };
    const std::vector<MeasuredChoice> choices = matchTiers(
        engine_, input, std::span(&against_->choice(), 1), std::span(&target, 1), found, {}, stop);
    method = &matched.emplace(engine_.prepare(choices.front().choice, stop));
  }
  const RunOptions how{.trace = true, .features = true, .record = true};
  OtherRun& other = report.against.emplace();
  other.choice = method->choice();
  other.result = engine_.run(input, *method, how, stop).front();
  other.change = featureChanges(*report.result.recording, *other.result.recording);
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
  input.image = image.prepared;
  input.grid_height = vit.gridHeight();
  input.grid_width = vit.gridWidth();
  input.prefix_tokens = vit.prefixTokens();
  input.result = report.result;
  input.original = image.original;
  input.prompts = promptsOf(report.choice.settings);
  input.unmerged_flops = report.baseline.flops.paper;
  if (report.against) input.other = std::make_shared<ImageResult>(report.against->result);
  const auto provenance = [&](const MethodChoice& choice, int block) {
    return provenanceJson(engine_.info(), engine_.device(), engine_.dtype(), report.image, choice,
                          block);
  };
  const auto complete = [&](FigureInput& own, const std::string& kind, int block) {
    const OverlayKind content = figures.content(kind);
    own.lens = lenses.pictures(kind, content, report, vit, block, stop);
    own.subtitle = describe(report.choice, vit);
    own.provenance = provenance(report.choice, block);
    if (!report.against ||
        (content != OverlayKind::kChange && content != OverlayKind::kDifference)) {
      return;
    }
    own.subtitle += "; against " + describe(report.against->choice, vit);
    own.provenance =
        fmt::format("[{},{}]", own.provenance, provenance(report.against->choice, block));
  };
  return figures.write(std::move(input), file.stem().string(), complete);
}

void checkFigures(FigureOptions& figures, const MethodChoice& choice, bool compares) {
  const MethodInfo& method = findMethod(choice.method);
  figures.check(method.salience.empty()
                    ? fmt::format("the method '{}' computes no salience", method.id)
                    : std::string(),
                compares);
}

void requireLayers(const FigureOptions& figures, const ModelInfo& model) {
  for (const int layer : figures.layers()) {
    if (layer >= 0 && layer < model.vit.depth) continue;
    throw Error(fmt::format("--layer {} is out of range: {} has blocks 0 to {}", layer, model.name,
                            model.vit.depth - 1));
  }
}

}  // namespace adamerge::cli
