// SPDX-License-Identifier: GPL-3.0-or-later
#include "input_images.h"

namespace adamerge::cli {

ImageSource openImages(const std::filesystem::path& path, std::size_t limit, unsigned seed,
                       const Engine& engine, Terminal& terminal, const std::stop_token& stop) {
  const Dataset images =
      Dataset::open(path, engine.info(), {.unlabelled = true, .training = true}, stop);
  for (const std::string& note : images.notes()) terminal.warn(note);
  return {images.sample(limit, seed), engine.info().preprocessing,
          [&terminal](const std::string& problem) { terminal.error(problem + " (left out)"); },
          [&terminal](const std::string& note) { terminal.warn(note); }};
}

}  // namespace adamerge::cli
