// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdio>

#include "bench/overlay_table.h"
#include "documentation.h"
#include "options.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::studio {
namespace {

constexpr const char* kSample = "resources/samples/bird.png";
constexpr int kMostBlocks = 1000;

template <typename Value>
using Names = std::vector<std::pair<std::string, Value>>;

const Names<OverlayKind>& overlayNames() {
  static const Names<OverlayKind> names = [] {
    Names<OverlayKind> made;
    for (const ui::OverlayInfo& overlay : ui::overlays()) {
      made.emplace_back(overlay.id, overlay.value);
    }
    return made;
  }();
  return names;
}

const Names<ui::Theme>& themeNames() {
  static const Names<ui::Theme> names{
      {"system", ui::Theme::kSystem}, {"light", ui::Theme::kLight}, {"dark", ui::Theme::kDark}};
  return names;
}

template <typename Value>
std::vector<std::string> keys(const Names<Value>& names) {
  std::vector<std::string> list;
  for (const auto& [name, value] : names) list.push_back(name);
  return list;
}

template <typename Value>
std::optional<Value> find(const Names<Value>& names, const std::string& wanted) {
  for (const auto& [name, value] : names) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

QSize parseSize(const std::string& text) {
  int width = 0;
  int height = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2 || width < 640 ||
      height < 480 || width > 16384 || height > 16384) {
    throw cli::UsageError(fmt::format(
        "--size takes the window's WIDTHxHEIGHT in pixels, 640x480 to 16384x16384, not '{}'",
        text));
  }
  return {width, height};
}

struct Texts {
  std::string open;
  std::string overlay;
  std::string theme;
  std::string size;
  std::string screenshot;
  int block = 0;
  int panes = 0;
};

void addWindowOptions(CLI::App& app, Texts& texts, ui::StartOptions& options) {
  const std::string group = "Window";
  cli::takesWholeNumber(
      *app.add_option("--block", texts.block, "The block shown, from 1")->group(group), 1,
      kMostBlocks);
  cli::takesOneOf(*app.add_option("--overlay", texts.overlay,
                                  fmt::format("{}", fmt::join(keys(overlayNames()), ", ")))
                       ->group(group),
                  keys(overlayNames()));
  CLI::Option* panes =
      app.add_option("--compare", texts.panes, "Canvases side by side: 1, 2 or 4")->group(group);
  cli::takesWholeNumber(*panes, 1, 4);
  cli::takesOneOf(*app.add_option("--theme", texts.theme, "system, light, dark")->group(group),
                  keys(themeNames()));
  app.add_option("--size", texts.size, "The window's size in pixels")
      ->type_name("WIDTHxHEIGHT")
      ->group(group);
  app.add_flag("--fresh", options.fresh,
               "Start with the bundled model and sample; leave the last session alone")
      ->group(group);
  cli::takesText(*app.add_option("--screenshot", texts.screenshot,
                                 "Write the window as PNG after the first result, and end")
                      ->group(group),
                 "FILE");
}

void translate(const Texts& texts, ui::StartOptions& options) {
  options.open = QString::fromStdString(texts.open);
  options.sample = cli::bundled(kSample);
  options.screenshot = QString::fromStdString(texts.screenshot);
  if (texts.block > 0) options.block = texts.block;
  if (texts.panes == 3) throw cli::UsageError("--compare takes 1, 2 or 4, not 3");
  if (texts.panes > 0) options.panes = texts.panes;
  if (!texts.size.empty()) options.size = parseSize(texts.size);
  options.overlay = find(overlayNames(), texts.overlay);
  options.theme = find(themeNames(), texts.theme);
}

std::string versionText() {
  return fmt::format("adamerge-studio {}, {}, Qt {}", ADAMERGE_VERSION, torchVersion(), qVersion());
}

}  // namespace

CommandLine readCommandLine(int argc, char** argv) {
  CommandLine line;
  Texts texts;
  cli::EngineChoice engine;
  cli::MethodOptions method;
  CLI::App app("See, compare and export token merging in Vision Transformers on your own images.",
               "adamerge-studio");
  app.set_version_flag("--version", versionText, "Version, LibTorch's and Qt's");
  cli::addDocumentation(app);
  cli::takesText(
      *app.add_option("open", texts.open,
                      "An image, a folder of images, a video, a trace or a session to open"),
      "FILE");
  addWindowOptions(app, texts, line.options);
  engine.addTo(app);
  method.addTo(app, "adamerge");
  try {
    app.parse(argc, argv);
    translate(texts, line.options);
    // A model of the hub that has yet to be fetched shows its bar at the terminal.
    cli::Terminal terminal(engine.quiet(), "adamerge-studio");
    line.options.model = engine.model(terminal, {});
    line.options.model_named = engine.namesModel();
    line.options.engine = engine.options();
    if (method.given()) line.options.choice = method.choice();
  } catch (const CLI::ParseError& error) {
    line.exit_status = error.get_exit_code() == 0 ? 0 : 2;
    if (error.get_exit_code() == 0) {
      app.exit(error);
    } else {
      fmt::print(stderr, "adamerge-studio: {}\n", cli::usageText(app, error));
    }
  } catch (const cli::UsageError& error) {
    fmt::print(stderr, "adamerge-studio: {}\n", error.what());
    line.exit_status = 2;
  } catch (const Error& error) {
    fmt::print(stderr, "adamerge-studio: {}\n", error.what());
    line.exit_status = 1;
  }
  return line;
}

}  // namespace adamerge::studio
