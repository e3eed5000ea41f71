// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation_outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <vector>

namespace adamerge::cli {
namespace {

/// What becomes of the work that is done.
std::string kept(const std::string& state) {
  if (state.empty()) return "nothing is kept, since neither --json nor --csv names a file";
  return fmt::format("the same command goes on from there, by what {} holds", state);
}

std::string lost(const std::vector<int>& ranks) {
  constexpr const char* kHow = "lost (killed, crashed or hung)";
  return ranks.size() > 1 ? fmt::format("ranks {} were {}", fmt::join(ranks, ", "), kHow)
                          : fmt::format("rank {} was {}", ranks.front(), kHow);
}

}  // namespace

std::string commandLine(int ranks) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text = ranks == 0 ? "" : fmt::format("mpirun -n {} ", ranks);
  text += "adamerge";
  std::string word;
  std::getline(file, word, '\0');
  while (std::getline(file, word, '\0')) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_./,:=+@%") == std::string::npos;
    if (plain) {
      text += " " + word;
      continue;
    }
    text += " '";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += "'";
  }
  return text;
}

int reportInterrupted(const Evaluation& evaluation, const std::string& state, Terminal& terminal) {
  const std::string what =
      evaluation.lost_ranks.empty() ? "interrupted" : lost(evaluation.lost_ranks);
  terminal.error(fmt::format("{}: {} of {} images are done; {}", what, evaluation.done,
                             evaluation.total, kept(state)));
  return 1;
}

void reportLostLead(const std::string& state, Terminal& terminal) {
  terminal.error(fmt::format("{}; {}", lost({0}), kept(state)));
}

int reportSkipped(const Evaluation& evaluation, Terminal& terminal) {
  if (evaluation.skipped.empty()) return 0;
  for (const SkippedImage& image : evaluation.skipped) {
    terminal.error(image.reason + " (left out)");
  }
  terminal.error(fmt::format("{} of {} images could not be read and were left out",
                             evaluation.skipped.size(), evaluation.total));
  return 1;
}

}  // namespace adamerge::cli
