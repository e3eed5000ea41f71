// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "adamerge/preprocess.h"
#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "adamerge/unsaved_work.h"
#include "commands.h"
#include "figure_writer.h"
#include "inspect_text.h"
#include "inspect_trace.h"
#include "lens_options.h"
#include "options.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

struct InspectOptions {
  EngineChoice engine;
  MethodOptions method;
  FigureOptions figures;
  LensOptions lenses;
  std::vector<std::string> images;
  std::string json;
  std::string trace;
};

void print(const InspectReport& report, const ModelInfo& model) {
  const ImageResult& result = report.result;
  fmt::print("{} ({} x {})\n", report.image, report.image_width, report.image_height);
  if (result.logits.empty()) {
    fmt::print("  {}: no classifier (--head takes one)\n", describe(report.choice));
  } else {
    const Fidelity fidelity = compareLogits(report.baseline.logits, result.logits);
    fmt::print("  {}: {} (unmerged: {}; logit cosine {:.4f}, KL {:.4f})\n", describe(report.choice),
               predictionText(result.logits, model.labels),
               predictionText(report.baseline.logits, model.labels), fidelity.logit_cosine,
               fidelity.kl_divergence);
  }
  fmt::print("  cosine with the unmerged model: embedding {:.4f}, patches {:.4f}\n",
             embeddingCosine(report.baseline, result), patchCosine(report.baseline, result));
  if (result.classes != nullptr) {
    const MapAgreement maps = compareMaps(*report.baseline.classes, *result.classes);
    fmt::print(
        "  class map as the unmerged model's: {:.1f} % of patches, mIoU {:.3f}; {:.1f} % of "
        "pixels, "
        "mIoU {:.3f}\n",
        100 * maps.patch_agreement, maps.patch_miou, 100 * maps.pixel_agreement, maps.pixel_miou);
  }
  fmt::print("  FLOPs: {:.3f} G of {:.3f} G, {:.1f} % (paper); {:.3f} G of {:.3f} G (total)\n",
             result.flops.paper, report.baseline.flops.paper,
             100 * result.flops.paper / report.baseline.flops.paper, result.flops.total,
             report.baseline.flops.total);
  fmt::print(
      "  features changed: {:.4f} in the mean, {:.4f} in the worst tenth, after the last block\n",
      report.change.back().mean, report.change.back().worst);
  fmt::print("  tokens: {}\n", tokensText(result.layers));
}

/// Inspects images one by one and keeps what is finished.
class Inspection {
 public:
  Inspection(InspectOptions& options, PreparedMethod method, const Engine& engine,
             Terminal& terminal)
      : options_(options),
        method_(std::move(method)),
        unmerged_(engine.prepare({})),
        engine_(engine),
        terminal_(terminal) {}

  void inspect(const std::string& name, const std::stop_token& stop) {
    const auto image = std::make_shared<const Image>(loadImage(name));
    const PreparedImage prepared = prepareImage(*image, engine_.info().preprocessing);
    const std::span input(&prepared.input, 1);
    InspectReport report;
    report.image = name;
    report.image_height = image->height;
    report.image_width = image->width;
    report.crop = prepared.crop;
    report.choice = method_.choice();
    RunOptions how{.trace = true, .features = true, .record = true};
    report.result = engine_.run(input, method_, how, stop).front();
    how.trace = false;
    report.baseline = engine_.run(input, unmerged_, how, stop).front();
    report.change = featureChanges(*report.result.recording, *report.baseline.recording);
    for (const std::string& warning : report.result.warnings) terminal_.warn(warning);
    terminal_.clearBar();
    if (options_.json != "-") print(report, engine_.info());
    if (options_.figures.wanted()) writeFigures(report, image, prepared, stop);
    const VitConfig& vit = engine_.info().vit;
    if (options_.figures.showsLens() || options_.lenses.given()) {
      report.lens =
          lensReport(*report.result.recording, *report.baseline.recording, firstLayer(),
                     options_.lenses.token(vit), options_.lenses.query({}, vit).head, stop);
    }
    options_.lenses.writeTensors(report, engine_.info(), options_.figures.layers(), stop);
    // Many images' would fill the memory.
    report.result.recording.reset();
    report.baseline.recording.reset();
    reports_.push_back(std::move(report));
    if (!options_.json.empty() && !until_written_) until_written_.emplace();
    if (!options_.trace.empty()) views_.push_back(prepared.view);
  }

  const std::vector<InspectReport>& reports() const { return reports_; }

  void writeTrace(const std::filesystem::path& path) const {
    std::vector<TraceRecord> records;
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      const InspectReport& report = reports_[i];
      records.push_back({report.image, &views_[i], &report.result, &report.baseline});
    }
    adamerge::writeTrace(path, engine_.info(), method_.choice(), records,
                         "adamerge " ADAMERGE_VERSION);
  }

 private:
  /// Of --layer, or the last.
  int firstLayer() const {
    const std::vector<int>& layers = options_.figures.layers();
    return layers.empty() ? engine_.info().vit.depth - 1 : layers.front();
  }

  void writeFigures(const InspectReport& report, std::shared_ptr<const Image> original,
                    const PreparedImage& prepared, const std::stop_token& stop) {
    const VitConfig& vit = engine_.info().vit;
    const std::filesystem::path file(report.image);
    FigureInput input;
    input.title = file.filename().string();
    input.subtitle = describe(report.choice);
    input.image = prepared;
    input.grid_height = vit.gridHeight();
    input.grid_width = vit.gridWidth();
    input.prefix_tokens = vit.prefixTokens();
    input.result = report.result;
    input.original = std::move(original);
    input.unmerged_flops = report.baseline.flops.paper;
    const auto lens = [&](const std::string& kind, int block) {
      return options_.lenses.pictures(kind, options_.figures.overlay(), report.result,
                                      report.baseline, vit, block, stop);
    };
    const auto provenance = [&](int block) {
      return provenanceJson(engine_.info(), engine_.device(), engine_.dtype(), report.image,
                            report.choice, block);
    };
    for (const auto& path :
         options_.figures.write(std::move(input), file.stem().string(), lens, provenance)) {
      if (options_.json != "-") fmt::print("  {}\n", path.string());
    }
  }

  InspectOptions& options_;
  const PreparedMethod method_;
  const PreparedMethod unmerged_;
  const Engine& engine_;
  Terminal& terminal_;
  std::vector<InspectReport> reports_;
  std::optional<UnsavedWork> until_written_;
  std::vector<Image> views_;  ///< as the model saw them, for --trace
};

void requireLayer(int layer, const ModelInfo& model) {
  if (layer >= 0 && layer < model.vit.depth) return;
  throw Error(fmt::format("--layer {} is out of range: {} has blocks 0 to {}", layer, model.name,
                          model.vit.depth - 1));
}

/// Traces in place of images; false: there are none.
bool areTraces(const InspectOptions& options) {
  const auto traces = std::count_if(options.images.begin(), options.images.end(),
                                    [](const std::string& name) { return isTraceName(name); });
  if (traces == 0) return false;
  if (traces < static_cast<std::ptrdiff_t>(options.images.size())) {
    throw UsageError("inspect takes images or traces, not both at once");
  }
  if (options.method.given() || options.engine.namesModel() || !options.trace.empty()) {
    throw UsageError(
        "a trace has its own model and method: leave out --model, --trace, --method and its "
        "settings");
  }
  return true;
}

int run(InspectOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  if (areTraces(options)) {
    return inspectTraces(options.images, options.figures, options.json, terminal, stop);
  }
  if (!options.trace.empty() && !isTraceName(options.trace)) {
    throw UsageError(
        fmt::format("--trace takes a file named *{}, not '{}'", kTraceExtension, options.trace));
  }
  const MethodChoice choice = options.method.choice();
  const MethodInfo& method = findMethod(choice.method);
  options.figures.check(method.salience.empty()
                            ? fmt::format("the method '{}' computes no salience", method.id)
                            : std::string());
  options.lenses.check(options.images.size());
  requireWritable(options.json);
  requireWritableFile(options.trace);
  const Engine engine = options.engine.load(terminal, stop);
  requireSettingsSuit(choice, engine.info().vit, engine.info().name, /*strict=*/true);
  for (const int layer : options.figures.layers()) requireLayer(layer, engine.info());
  options.lenses.check(engine.info(), options.figures.kinds(), options.figures.overlay(),
                       options.figures.all());
  // What does not suit the model is said once, before any image is read.
  Inspection inspection(options, engine.prepare(choice), engine, terminal);
  const auto total = static_cast<std::int64_t>(options.images.size());
  std::int64_t done = 0;
  std::int64_t failed = 0;
  for (const std::string& name : options.images) {
    if (stop.stop_requested()) break;
    try {
      inspection.inspect(name, stop);
    } catch (const Cancelled&) {
      break;
    } catch (const Error& error) {
      ++failed;
      terminal.error(error.what());
    }
    ++done;
    if (total > 1) terminal.progress({"inspecting", done, total});
  }
  if (!options.json.empty() && !inspection.reports().empty()) {
    writeOutput(options.json, inspectJson(engine, inspection.reports(), total > 1));
  }
  if (!options.trace.empty() && !inspection.reports().empty()) {
    inspection.writeTrace(options.trace);
  }
  if (stop.stop_requested()) {
    terminal.error(
        fmt::format("interrupted: {} of {} images are done", inspection.reports().size(), total));
    return 1;
  }
  if (failed > 0 && total > 1) {
    terminal.error(fmt::format("{} of {} images could not be inspected", failed, total));
  }
  return failed > 0 ? 1 : 0;
}

}  // namespace

Command inspectCommand(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Prediction, trace of every block and figures of one image or many");
  command->add_option("images", options->images, "Image files, or traces (.adamerge-trace)")
      ->required();
  takesText(*command->add_option("--json", options->json,
                                 "Write prediction, FLOPs and the trace of every block as JSON; - "
                                 "is standard output"),
            "FILE");
  takesText(*command->add_option("--trace", options->trace,
                                 "Write the groups of every block and the pictures as a trace, "
                                 "*.adamerge-trace, that the studio opens"),
            "FILE");
  options->figures.addTo(*command);
  options->lenses.addTo(*command);
  options->method.addTo(*command, "adamerge");
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
