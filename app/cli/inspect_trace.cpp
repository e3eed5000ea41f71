// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect_trace.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/trace_file.h"
#include "inspect_text.h"
#include "output_files.h"

namespace adamerge::cli {
namespace {

void print(const TraceInfo& info, const TracedImage& image) {
  fmt::print("{} (of {}; model {})\n", image.name, info.file.string(), modelOf(info).name);
  std::string answer = "no logits in the trace";
  if (!image.result.logits.empty()) {
    answer = predictionText(image.result.logits, info.classes);
    if (!image.baseline.logits.empty()) {
      const Fidelity fidelity = compareLogits(image.baseline.logits, image.result.logits);
      answer += fmt::format(" (unmerged: {}; logit cosine {:.4f}, KL {:.4f})",
                            predictionText(image.baseline.logits, info.classes),
                            fidelity.logit_cosine, fidelity.kl_divergence);
    }
  }
  fmt::print("  {}: {}\n", describe(info), answer);
  if (info.has_flops && info.has_baseline_flops && image.baseline.flops.paper > 0) {
    fmt::print("  FLOPs: {:.3f} G of {:.3f} G, {:.1f} % (paper)\n", image.result.flops.paper,
               image.baseline.flops.paper,
               100 * image.result.flops.paper / image.baseline.flops.paper);
  } else if (info.has_flops) {
    fmt::print("  FLOPs: {:.3f} G (paper)\n", image.result.flops.paper);
  } else {
    fmt::print("  FLOPs: not in the trace\n");
  }
  fmt::print("  tokens: {}\n", tokensText(image.result.layers));
}

/// Throws where the trace has not what the figures were asked for.
void requireShown(const FigureOptions& figures, const TraceInfo& info) {
  const std::string file = info.file.string();
  for (const int layer : figures.layers()) {
    if (layer >= info.depth) {
      throw Error(fmt::format("--layer {} is out of range: {} has blocks 0 to {}", layer, file,
                              info.depth - 1));
    }
  }
  const auto require = [&](const char* option, const std::string& kind, OverlayKind content) {
    if (content == OverlayKind::kAttention && info.has_attention && kind != "heads") return;
    if (!lensOf(content) || figures.all()) return;
    throw Error(fmt::format("{} {}: {} holds no {}", option, kind, file,
                            content == OverlayKind::kAttention
                                ? "attention of every head"
                                : "run of the network that it could be computed from"));
  };
  for (const std::string& kind : figures.kinds()) {
    require("--figure", kind, figureContent(kind).value_or(OverlayKind::kNone));
  }
  require("--overlay", "that", figures.overlay());
}

FigureInput figureInput(const TraceInfo& info, const TracedImage& image, Terminal& terminal) {
  TracedPicture picture = pictureOf(info, image);
  if (!picture.note.empty()) terminal.warn(picture.note);
  FigureInput input;
  input.title = std::filesystem::path(image.name).filename().string();
  input.subtitle = describe(info);
  input.image.view = std::move(picture.view);
  input.image.crop = picture.crop;
  input.original = std::move(picture.original);
  input.grid_height = info.grid_height;
  input.grid_width = info.grid_width;
  input.prefix_tokens = info.prefix_tokens;
  input.result = image.result;
  if (info.has_baseline_flops) input.unmerged_flops = image.baseline.flops.paper;
  return input;
}

}  // namespace

int inspectTraces(const std::vector<std::string>& files, FigureOptions& figures,
                  const std::string& json, Terminal& terminal, const std::stop_token& stop) {
  std::vector<TraceFile> traces;
  bool salience = false;
  for (const std::string& file : files) {
    const TraceInfo& info = traces.emplace_back(file).info();
    salience = salience || info.has_salience;
    for (const std::string& note : info.notes) terminal.warn(fmt::format("{}: {}", file, note));
  }
  figures.check(salience ? "" : "no salience is in the trace", /*compares=*/false);
  for (const TraceFile& trace : traces) requireShown(figures, trace.info());
  requireWritable(json);
  std::vector<TraceReport> reports;
  bool several = traces.size() > 1;
  bool failed = false;
  for (const TraceFile& trace : traces) {
    const TraceInfo& info = trace.info();
    several = several || info.images.size() > 1;
    for (std::size_t index = 0; index < info.images.size() && !stop.stop_requested(); ++index) {
      try {
        TracedImage image = trace.read(index);
        if (json != "-") print(info, image);
        if (figures.wanted()) {
          FigureInput input = figureInput(info, image, terminal);
          const auto attention = recordedAttention(image.result);
          const auto complete = [&](FigureInput& own, const std::string& kind, int block) {
            own.lens = kind == "heads" || kind == "map" ? nullptr : attention;
            own.provenance = provenanceJson(info, image.name, block);
          };
          const auto paths =
              figures.write(std::move(input), std::filesystem::path(image.name).stem(), complete);
          for (const auto& path : paths) {
            if (json != "-") fmt::print("  {}\n", path.string());
          }
        }
        if (!json.empty()) reports.push_back({trace.sharedInfo(), std::move(image)});
      } catch (const Error& error) {
        failed = true;
        terminal.error(error.what());
      }
    }
  }
  if (!json.empty() && !reports.empty()) writeOutput(json, traceJson(reports, several));
  if (stop.stop_requested()) terminal.error("interrupted");
  return failed || stop.stop_requested() ? 1 : 0;
}

}  // namespace adamerge::cli
