// SPDX-License-Identifier: GPL-3.0-or-later
// What file managers show of sessions and traces.
#include <cmath>

#include "adamerge/figures.h"
#include "adamerge/trace_file.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

CliResult thumbnail(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{ADAMERGE_PROGRAM, "thumbnail"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return runProgram(command);
}

/// In the middle of each patch, from `colors` of the patches: mean over patches and channels.
double distanceToGroups(const Image& image, const TraceInfo& info,
                        const std::vector<std::array<std::uint8_t, 3>>& colors) {
  double sum = 0;
  for (int patch = 0; patch < info.patches(); ++patch) {
    const int x = (2 * (patch % info.grid_width) + 1) * image.width / (2 * info.grid_width);
    const int y = (2 * (patch / info.grid_width) + 1) * image.height / (2 * info.grid_height);
    for (int channel = 0; channel < 3; ++channel) {
      sum += std::abs(int{image.at(x, y)[channel]} - int{colors[patch][channel]});
    }
  }
  return sum / (3 * info.patches());
}

TEST(Thumbnail, OfATraceShowsThePictureInItsGroups) {
  const TemporaryFolder folder;
  const std::string trace = (folder.path() / "run.adamerge-trace").string();
  const std::string png = (folder.path() / "run.png").string();
  expectSuccess(
      adamergeCli({"inspect", sample("bird"), "--method", "tome", "--r", "14", "--trace", trace}));
  expectSuccess(thumbnail({trace, png, "--size", "140"}));

  const Image shown = loadImage(png);
  EXPECT_EQ(std::max(shown.width, shown.height), 140);
  const TraceFile file(trace);
  const TracedImage image = file.read(0);
  const TraceInfo& info = file.info();
  const auto colors = groupColors(*image.view, info.grid_height, info.grid_width,
                                  image.result.layers.back().groups);
  EXPECT_LT(distanceToGroups(shown, info, colors), distanceToGroups(*image.view, info, colors) / 3);
}

TEST(Thumbnail, SaysWhatAFileLacks) {
  const TemporaryFolder folder;
  const auto file = [&](const std::string& name, const std::string& text) {
    writeText(folder.path() / name, text);
    return (folder.path() / name).string();
  };
  const std::string png = (folder.path() / "out.png").string();
  expectProblem(thumbnail({file("a.adamerge", R"({"adamerge_session": 1})"), png}), 1,
                {"a.adamerge", "holds no preview"});
  expectProblem(thumbnail({file("b.adamerge", R"({"points": []})"), png}), 1,
                {"b.adamerge", "neither a session of the studio (.adamerge) nor a trace"});
  expectProblem(
      thumbnail({file("c.adamerge", R"({"adamerge_session": 1, "preview": "AAAA"})"), png}), 1,
      {"c.adamerge: its preview", "not an image"});
  expectProblem(thumbnail({file("d.adamerge", R"({"adamerge_session": 1, "preview": 7})"), png}), 1,
                {"d.adamerge", "preview"});
  expectProblem(thumbnail({(folder.path() / "no.adamerge-trace").string(), png}), 1,
                {"no.adamerge-trace"});
  expectProblem(thumbnail({file("e.adamerge", "{}"), png, "--size", "8"}), 2, {"--size", "16"});
  EXPECT_FALSE(std::filesystem::exists(png));
}

}  // namespace
}  // namespace adamerge::test
