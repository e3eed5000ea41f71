// SPDX-License-Identifier: GPL-3.0-or-later
// What file managers call to show sessions and traces (resources/packaging/adamerge.thumbnailer).
#include <memory>
#include <string>

#include "adamerge/thumbnail.h"
#include "commands.h"
#include "output_files.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr int kSmallest = 16;
constexpr int kLargest = 4096;

struct ThumbnailOptions {
  std::string file;
  std::string png;
  int size = 256;
};

}  // namespace

Command thumbnailCommand(CLI::App& app) {
  auto options = std::make_shared<ThumbnailOptions>();
  CLI::App* command = app.add_subcommand(
      "thumbnail", "The small picture that file managers show of a session or a trace");
  takesText(
      *command->add_option("file", options->file, "A session (.adamerge) or a trace")->required(),
      "FILE");
  takesText(*command->add_option("png", options->png, "The PNG file to write")->required(), "PNG");
  takesWholeNumber(
      *command->add_option("--size", options->size, "Pixels of the longer side (default 256)"),
      kSmallest, kLargest);
  return {command, [options](const std::stop_token&) {
            requireWritableFile(options->png);
            writeThumbnail(options->file, options->size, options->png);
            return 0;
          }};
}

}  // namespace adamerge::cli
