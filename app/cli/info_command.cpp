// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "adamerge/report.h"
#include "commands.h"
#include "options.h"
#include "output_files.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

struct InfoOptions {
  EngineChoice engine;
  std::string json;
};

std::string calibrationText(const Engine& engine) {
  const auto statistics = engine.statistics();
  if (statistics == nullptr) return "none (run adamerge calibrate)";
  return fmt::format("{} {} to {}, {} images of {}", statistics->knob,
                     statistics->entries.front().r_max, statistics->entries.back().r_max,
                     statistics->images, statistics->source);
}

std::string prefixText(const VitConfig& vit) {
  std::vector<std::string> parts;
  if (vit.class_token) parts.emplace_back("class token");
  if (vit.distillation_token) parts.emplace_back("distillation token");
  if (vit.register_tokens > 0) parts.push_back(fmt::format("{} registers", vit.register_tokens));
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

/// "cpu, bfloat16 (auto), LibTorch 1.13.1".
std::string placeText(const Engine& engine, bool automatic) {
  return fmt::format("{}, {}{}, {}", engine.device(), engine.dtype(), automatic ? " (auto)" : "",
                     torchVersion());
}

/// "14 x 14 patches; the whole grid in blocks 2, 5, 8, 11; neck of 256 channels".
std::string windowsText(const VitConfig& vit) {
  std::vector<int> global;
  int side = 0;
  for (std::size_t block = 0; block < vit.windows.sides.size(); ++block) {
    side = std::max(side, vit.windows.sides[block]);
    if (vit.windows.sides[block] == 0) global.push_back(static_cast<int>(block));
  }
  std::string text = side == 0 ? "none" : fmt::format("{} x {} patches", side, side);
  if (!global.empty()) {
    text += fmt::format("; the whole grid in blocks {}", fmt::join(global, ", "));
  }
  if (vit.neck_channels > 0) text += fmt::format("; neck of {} channels", vit.neck_channels);
  return text;
}

void print(const Engine& engine, bool automatic) {
  const ModelInfo& info = engine.info();
  const VitConfig& vit = info.vit;
  const Flops flops = unmergedFlops(vit);
  const auto row = [](std::string_view label, const std::string& text) {
    fmt::print("{:<15}{}\n", label, text);
  };
  row("model",
      info.architecture.empty() ? info.name : fmt::format("{} ({})", info.name, info.architecture));
  row("family", info.family);
  row("source", info.source.string());
  const std::string mixer = vit.mixesByFourier()
                                ? fmt::format("Fourier filter of {} groups", vit.filter.groups)
                                : fmt::format("{} heads", vit.heads);
  row("blocks", fmt::format("{}, embedding dimension {}, {}, MLP {}", vit.depth, vit.dim, mixer,
                            vit.mlp_hidden));
  row("parameters", fmt::format("{:.2f} M", static_cast<double>(info.parameters) / 1e6));
  row("input",
      fmt::format("{} x {} pixels, patch {}", vit.input_width, vit.input_height, vit.patch_size));
  row("tokens",
      fmt::format("{} = {} x {} patches + {} prefix ({})", vit.patchTokens() + vit.prefixTokens(),
                  vit.gridWidth(), vit.gridHeight(), vit.prefixTokens(), prefixText(vit)));
  if (vit.isWindowed()) row("windows", windowsText(vit));
  row("FLOPs",
      fmt::format("{:.3f} G (paper convention), {:.3f} G (total)", flops.paper, flops.total));
  row("preprocessing", describe(info.preprocessing));
  const std::size_t shown = std::min<std::size_t>(info.labels.size(), 10);
  row("classes",
      fmt::format("{}{}{}{}", vit.classes, shown > 0 ? ": " : "",
                  fmt::join(info.labels.begin(),
                            info.labels.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                  info.labels.size() > shown ? ", ..." : ""));
  row("calibration", calibrationText(engine));
  row("runs on", placeText(engine, automatic));
  for (const Device& device : availableDevices()) {
    row("", fmt::format("{}: {}", device.id, device.name));
  }
  for (const std::string& note : info.notes) row("note", note);
}

}  // namespace

Command infoCommand(CLI::App& app) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand(
      "info", "Architecture, parameters, tokens, FLOPs, classes, preprocessing, device");
  takesText(*command->add_option("--json", options->json,
                                 "Write all of it as JSON; - is standard output"),
            "FILE");
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) {
            Terminal terminal(options->engine.quiet());
            requireWritable(options->json);
            const Engine engine = options->engine.load(terminal, stop);
            const bool automatic = options->engine.options().dtype == "auto";
            if (options->json != "-") print(engine, automatic);
            if (!options->json.empty()) writeOutput(options->json, modelJson(engine));
            return 0;
          }};
}

}  // namespace adamerge::cli
