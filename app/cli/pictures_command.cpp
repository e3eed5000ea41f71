// SPDX-License-Identifier: GPL-3.0-or-later
// What a file of `evaluate --per-image` tells: who pays for merging, and whether the counts follow
// the images.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/picture_figures.h"
#include "adamerge/pictures.h"
#include "adamerge/report.h"
#include "commands.h"
#include "options.h"
#include "output_files.h"
#include "text_table.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr int kTiles = 48;
constexpr std::size_t kRows = 20;
constexpr double kLeastP = 0.0001;

struct PicturesOptions {
  EngineChoice engine;
  std::string file;
  std::vector<int> settings;  ///< from 1, as the table numbers them; empty: all that merge
  std::string sort = "change";
  bool all_rows = false;
  std::string json;
  std::string counts;
  std::string sheet;
  std::string show = "lost";
  std::string label;
  std::string predicted;
  std::size_t tiles = kTiles;
};

/// By the name's end. Throws UsageError.
FigureFormat formatOf(const std::string& option, const std::string& path) {
  const std::map<std::string, FigureFormat> formats = {
      {".png", FigureFormat::kPng}, {".svg", FigureFormat::kSvg}, {".pdf", FigureFormat::kPdf}};
  const auto found = formats.find(std::filesystem::path(path).extension().string());
  if (found != formats.end()) return found->second;
  throw UsageError(
      fmt::format("{} takes a file named *.png, *.svg or *.pdf, not '{}'", option, path));
}

std::string pText(double p) {
  return p < kLeastP ? fmt::format("< {}", kLeastP) : fmt::format("{:.4f}", p);
}

void sortClasses(std::vector<ClassOutcome>& classes, const std::string& by) {
  const auto by_number = [&](auto number) {
    std::stable_sort(classes.begin(), classes.end(),
                     [&](const auto& a, const auto& b) { return number(a) < number(b); });
  };
  if (by == "change") by_number([](const auto& own) { return own.after() - own.before(); });
  if (by == "p") by_number([](const auto& own) { return own.p; });
  if (by == "images") by_number([](const auto& own) { return -own.images; });
}

std::string moreRows(std::size_t all, std::size_t shown) {
  return all > shown ? fmt::format("and {} more (--all, or --json)\n", all - shown) : "";
}

void printClasses(const PictureFile& file, std::size_t point, const PicturesOptions& options) {
  std::vector<ClassOutcome> classes = classOutcomes(file, point);
  sortClasses(classes, options.sort);
  std::vector<std::vector<std::string>> rows;
  const std::size_t shown = options.all_rows ? classes.size() : std::min(kRows, classes.size());
  for (const ClassOutcome& own : std::span(classes).first(shown)) {
    rows.push_back({file.className(own.label), fmt::format("{}", own.images),
                    fmt::format("{:.1f}", own.before()), fmt::format("{:.1f}", own.after()),
                    fmt::format("{:+.1f}", own.after() - own.before()),
                    fmt::format("{:+.1f} to {:+.1f}", own.difference.low, own.difference.high),
                    fmt::format("{} : {}", own.lost, own.gained), pText(own.p), pText(own.p_holm)});
  }
  fmt::print("{}{}",
             textTable({"class", "images", "before %", "after %", "change", "95 % interval",
                        "lost : gained", "p", "p (all classes)"},
                       rows),
             moreRows(classes.size(), shown));
}

void printConfusions(const PictureFile& file, std::size_t point, bool all) {
  const std::vector<Confusion> pairs = newConfusions(file, point);
  if (pairs.empty()) return;
  std::vector<std::vector<std::string>> rows;
  const std::size_t shown = all ? pairs.size() : std::min(kRows / 2, pairs.size());
  for (const Confusion& pair : std::span(pairs).first(shown)) {
    rows.push_back(
        {fmt::format("{} taken for {}", file.className(pair.label), file.className(pair.predicted)),
         fmt::format("{}", pair.before), fmt::format("{}", pair.after)});
  }
  fmt::print("\n{}{}", textTable({"newly confused", "before", "after"}, rows),
             moreRows(pairs.size(), shown));
}

void printAdaptation(const PictureFile& file, std::size_t point, const std::stop_token& stop) {
  const Adaptation adaptation = adaptationOf(file, point, stop);
  fmt::print("\ntokens merged an image: {:g} to {:g}, median {:g}\n",
             adaptation.merged.spread.minimum, adaptation.merged.spread.maximum,
             adaptation.merged.spread.median);
  const auto line = [](const char* name, const std::optional<RankCorrelation>& correlation) {
    if (correlation) {
      fmt::print("rank correlation with {}: {:+.3f} (95 %: {:+.3f} to {:+.3f})\n", name,
                 correlation->rho, correlation->low, correlation->high);
    }
  };
  line("edges", adaptation.edges);
  line("entropy", adaptation.entropy);
  line("the unmerged model's confidence", adaptation.confidence);
}

std::vector<std::size_t> chosenPoints(const PictureFile& file, const PicturesOptions& options) {
  const std::size_t last = file.choices().size() - 1;
  std::vector<std::size_t> points;
  if (options.settings.empty()) {
    for (std::size_t point = 1; point <= last; ++point) points.push_back(point);
  }
  for (const int setting : options.settings) {
    if (static_cast<std::size_t>(setting) > last) {
      throw UsageError(fmt::format("--setting {}: {} holds {} that merge{}", setting, options.file,
                                   last, last == 0 ? "" : fmt::format(", 1 to {}", last)));
    }
    points.push_back(static_cast<std::size_t>(setting));
  }
  if (points.empty()) {
    throw Error(
        fmt::format("{}: only the unmerged model was measured, so there is nothing to "
                    "compare",
                    options.file));
  }
  return points;
}

int classNamed(const PictureFile& file, const std::string& option, const std::string& name) {
  if (name.empty()) return -1;
  for (const int index : file.classIndices()) {
    if (file.className(index) == name) return index;
  }
  throw UsageError(fmt::format("{}: no image is of, or was taken for, a class '{}'", option, name));
}

/// The exit status.
int writeSheet(const PictureFile& file, std::size_t point, const PicturesOptions& options,
               const Engine& engine, Terminal& terminal, const std::stop_token& stop) {
  const auto shows = pictureShows();
  const auto show = std::find_if(shows.begin(), shows.end(), [&](const PictureShowName& name) {
    return options.show == name.id;
  });
  const PictureFilter filter{show->show, classNamed(file, "--class", options.label),
                             classNamed(file, "--predicted", options.predicted)};
  if (const std::string problem = file.statisticsProblem(point, engine); !problem.empty()) {
    terminal.error(problem);
  }
  std::vector<std::string> missing;
  std::size_t told = 0;
  const auto progress = [&](const Progress& now) {
    for (; told < missing.size(); ++told) terminal.error(missing[told] + " (left out)");
    terminal.progress(now);
  };
  FigureStyle style;
  style.overlay.groups = GroupStyle::kOutline;
  const PictureFigure sheet =
      contactSheet(engine, file, point, filter, selectPictures(file, point, filter), options.tiles,
                   missing, progress, stop);
  terminal.clearBar();
  writeFigure(sheet, style, formatOf("--sheet", options.sheet), options.sheet);
  if (!options.engine.quiet() && options.json != "-") fmt::print("{}\n", options.sheet);
  return missing.empty() ? 0 : 1;
}

int run(const PicturesOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  if (!options.counts.empty()) formatOf("--counts", options.counts);
  if (!options.sheet.empty()) formatOf("--sheet", options.sheet);
  requireWritable(options.json);
  requireWritableFile(options.counts);
  requireWritableFile(options.sheet);
  const auto file = PictureFile::open(options.file, terminal.callback(), stop);
  terminal.clearBar();
  const std::vector<std::size_t> points = chosenPoints(*file, options);
  if (options.json != "-") {
    fmt::print("{} on {}: {} images\n", file->model(), file->dataset().string(), file->pictures());
    for (const std::size_t point : points) {
      fmt::print("\n[{}] {}\n\n", point, describe(file->choices()[point]));
      printClasses(*file, point, options);
      printConfusions(*file, point, options.all_rows);
      printAdaptation(*file, point, stop);
    }
    fmt::print(
        "\np: McNemar's exact test, then corrected for all classes (Holm). Intervals are of the "
        "difference on the same images (Agresti and Min).\n");
  }
  if (!options.json.empty()) writeOutput(options.json, picturesJson(*file, stop));
  if (!options.counts.empty()) {
    writeFigure(countsFigure(*file, points, stop), {}, formatOf("--counts", options.counts),
                options.counts);
  }
  if (options.sheet.empty()) return 0;
  if (points.size() > 1) {
    throw UsageError("--sheet shows one setting: name it with --setting");
  }
  const Engine engine = options.engine.load(terminal, stop);
  if (engine.info().name != file->model()) {
    throw Error(fmt::format("{} was measured with {}, not with {}: --model names it", options.file,
                            file->model(), engine.info().name));
  }
  return writeSheet(*file, points.front(), options, engine, terminal, stop);
}

}  // namespace

Command picturesCommand(CLI::App& app) {
  auto options = std::make_shared<PicturesOptions>();
  CLI::App* command = app.add_subcommand(
      "pictures",
      "Which images and classes pay for merging, and whether the counts follow the images: from a "
      "file of evaluate --per-image");
  command->add_option("file", options->file, "The CSV file that evaluate --per-image wrote")
      ->required();
  takesWholeNumber(*command
                        ->add_option("--setting", options->settings,
                                     "Which setting, by its number in the output; may be repeated "
                                     "(default: all)")
                        ->allow_extra_args(false),
                   1);
  takesOneOf(*command->add_option("--sort", options->sort,
                                  "Classes by change, p, images or class (default change)"),
             {"change", "p", "images", "class"});
  command->add_flag("--all", options->all_rows, "Print every class and pair");
  takesText(*command->add_option("--json", options->json,
                                 "Write all of it as JSON; - is standard output"),
            "FILE");
  takesText(*command->add_option("--counts", options->counts,
                                 "Write box plots of the tokens merged in each block (png, svg, "
                                 "pdf)"),
            "FILE");
  takesText(*command->add_option("--sheet", options->sheet,
                                 "Write a contact sheet of images with their groups (png, svg, "
                                 "pdf)"),
            "FILE");
  std::vector<std::string> shows;
  for (const PictureShowName& show : pictureShows()) shows.emplace_back(show.id);
  takesOneOf(*command->add_option("--show", options->show,
                                  "Which images the sheet shows: lost, gained, kept, most-merged, "
                                  "least-merged or all (default lost)"),
             shows);
  takesText(*command->add_option("--class", options->label, "Images of this class alone"), "NAME");
  takesText(*command->add_option("--predicted", options->predicted,
                                 "Images that the merged model takes for this class"),
            "NAME");
  takesWholeNumber(*command->add_option("--tiles", options->tiles,
                                        fmt::format("Images on the sheet (default {})", kTiles)),
                   1, static_cast<std::int64_t>(kMostTiles));
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
