// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "adamerge/files.h"
#include "adamerge/trace_file.h"
#include "commands.h"
#include "inspect_text.h"
#include "inspect_trace.h"
#include "inspection.h"
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
  std::string against;
};

void print(const OtherRun& other, const InspectReport& report, const ModelInfo& model) {
  const std::vector<bool> differ =
      groupDifference(other.result.layers.back().groups, report.result.layers.back().groups);
  std::string prediction;
  if (!other.result.logits.empty()) {
    prediction = ", " + predictionText(other.result.logits, model.labels);
  }
  fmt::print(
      "  against {} ({:.3f} G{}), after the last block: features differ by {:.4f} in the mean, "
      "{:.4f} "
      "in the worst tenth; {} of {} patches are grouped otherwise\n",
      describe(other.choice, model.vit), other.result.flops.paper, prediction,
      other.change.back().mean, other.change.back().worst,
      std::count(differ.begin(), differ.end(), true), differ.size());
}

void print(const InspectReport& report, const ModelInfo& model) {
  const ImageResult& result = report.result;
  fmt::print("{} ({} x {})\n", report.image, report.image_width, report.image_height);
  if (result.logits.empty()) {
    fmt::print("  {}: no classifier (--head takes one)\n", describe(report.choice, model.vit));
  } else {
    const Fidelity fidelity = compareLogits(report.baseline.logits, result.logits);
    fmt::print("  {}: {} (unmerged: {}; logit cosine {:.4f}, KL {:.4f})\n",
               describe(report.choice, model.vit), predictionText(result.logits, model.labels),
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
  if (!result.field.empty()) {
    const FieldError error = fieldError(report.baseline, result, model.vit.field_channels);
    fmt::print("  field of {} channels: moved by {:.4f} of its length\n", error.rmse.size(),
               error.relative);
  }
  fmt::print("  FLOPs: {:.3f} G of {:.3f} G, {:.1f} % (paper); {:.3f} G of {:.3f} G (total)\n",
             result.flops.paper, report.baseline.flops.paper,
             100 * result.flops.paper / report.baseline.flops.paper, result.flops.total,
             report.baseline.flops.total);
  fmt::print(
      "  features changed: {:.4f} in the mean, {:.4f} in the worst tenth, after the last block\n",
      report.change.back().mean, report.change.back().worst);
  fmt::print("  tokens: {}\n", tokensText(result.layers));
  if (report.against) print(*report.against, report, model);
}

/// Inspects images one by one and keeps what is finished.
class Inspector {
 public:
  Inspector(InspectOptions& options, const MethodChoice& choice,
            const std::optional<MethodChoice>& against, const Engine& engine, Terminal& terminal,
            const std::stop_token& stop)
      : options_(options),
        inspection_(engine, choice, against, stop),
        engine_(engine),
        terminal_(terminal) {}

  void inspect(const std::string& name, const std::stop_token& stop) {
    InspectedImage image = inspection_.inspect(name, loadImage(name), stop);
    InspectReport& report = image.report;
    for (const std::string& note : report.notes) terminal_.warn(fmt::format("{}: {}", name, note));
    for (const std::string& warning : report.result.warnings) terminal_.warn(warning);
    terminal_.clearBar();
    if (options_.json != "-") print(report, engine_.info());
    if (options_.figures.wanted()) {
      for (const auto& path :
           inspection_.writeFigures(image, options_.figures, options_.lenses, stop)) {
        if (options_.json != "-") fmt::print("  {}\n", path.string());
      }
    }
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
    if (report.against) report.against->result.recording.reset();
    reports_.push_back(std::move(report));
    if (!options_.json.empty() && !until_written_) until_written_.emplace();
    if (!options_.trace.empty()) views_.push_back(std::move(image.prepared.view));
  }

  const std::vector<InspectReport>& reports() const { return reports_; }

  void writeTrace(const std::filesystem::path& path) const {
    std::vector<TraceRecord> records;
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      const InspectReport& report = reports_[i];
      records.push_back({report.image, &views_[i], &report.result, &report.baseline});
    }
    adamerge::writeTrace(path, engine_.info(), inspection_.choice(), records,
                         "adamerge " ADAMERGE_VERSION);
  }

 private:
  /// Of --layer, or the last.
  int firstLayer() const {
    const std::vector<int>& layers = options_.figures.layers();
    return layers.empty() ? engine_.info().vit.depth - 1 : layers.front();
  }

  InspectOptions& options_;
  const Inspection inspection_;
  const Engine& engine_;
  Terminal& terminal_;
  std::vector<InspectReport> reports_;
  std::optional<UnsavedWork> until_written_;
  std::vector<Image> views_;  ///< as the model saw them, for --trace
};

/// Traces in place of images; false: there are none.
bool areTraces(const InspectOptions& options) {
  const auto traces = std::count_if(options.images.begin(), options.images.end(),
                                    [](const std::string& name) { return isTraceName(name); });
  if (traces == 0) return false;
  if (traces < static_cast<std::ptrdiff_t>(options.images.size())) {
    throw UsageError("inspect takes images or traces, not both at once");
  }
  if (options.method.given() || options.engine.namesModel() || !options.trace.empty() ||
      !options.against.empty()) {
    throw UsageError(
        "a trace has its own model and method: leave out --model, --trace, --against, --method and "
        "its settings");
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
  std::optional<MethodChoice> against;
  if (!options.against.empty()) against = parseVariant(options.against, "--against");
  checkFigures(options.figures, choice, against.has_value());
  options.lenses.check(options.images.size());
  requireWritable(options.json);
  requireWritableFile(options.trace);
  const Engine engine = options.engine.load(terminal, stop);
  requireLayers(options.figures, engine.info());
  options.lenses.check(engine.info(), options.figures.kinds(), options.figures.overlay(),
                       options.figures.all());
  // What does not suit the model is said once, before any image is read.
  Inspector inspector(options, choice, against, engine, terminal, stop);
  const auto total = static_cast<std::int64_t>(options.images.size());
  std::int64_t done = 0;
  std::int64_t failed = 0;
  for (const std::string& name : options.images) {
    if (stop.stop_requested()) break;
    try {
      inspector.inspect(name, stop);
    } catch (const Cancelled&) {
      break;
    } catch (const Error& error) {
      ++failed;
      const std::string problem = error.what();
      const bool named = total == 1 || problem.find(name) != std::string::npos;
      terminal.error(named ? problem : fmt::format("{}: {}", name, problem));
    }
    ++done;
    if (total > 1) terminal.progress({"inspecting", done, total});
  }
  if (!options.json.empty() && !inspector.reports().empty()) {
    writeOutput(options.json, inspectJson(engine, inspector.reports(), total > 1));
  }
  if (!options.trace.empty() && !inspector.reports().empty()) {
    inspector.writeTrace(options.trace);
  }
  if (stop.stop_requested()) {
    terminal.error(
        fmt::format("interrupted: {} of {} images are done", inspector.reports().size(), total));
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
  takesText(*command->add_option(
                "--against", options->against,
                "A second method, as \"tome r=8\", whose features and groups the first one's are "
                "compared with; without a count the one of equal FLOPs. Figures of change, and "
                "--overlay difference, then show the difference of the two"),
            "METHOD");
  options->figures.addTo(*command);
  options->lenses.addTo(*command);
  options->method.addTo(*command, "adamerge");
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
