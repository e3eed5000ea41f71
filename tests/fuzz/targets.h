// SPDX-License-Identifier: GPL-3.0-or-later
// The readers of what strangers hand over, one function each, for libFuzzer and for the replay of
// its corpus in the ordinary tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace adamerge::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// A reader given `input`. It may throw Error, with one line of text; anything else is a find.
struct Target {
  std::string_view name;  ///< of its folder of the corpus, too
  void (*read)(Bytes input);
};

std::vector<Target> weightTargets();
std::vector<Target> textTargets();
std::vector<Target> pictureTargets();
std::vector<Target> allTargets();

/// Runs one; ends the process, with what happened on standard error, for anything that is a find.
void run(const Target& target, Bytes input);

/// A file of that name with that content, in a folder of this process's own that goes with it.
std::filesystem::path asFile(std::string_view name, Bytes content);
std::filesystem::path asFile(std::string_view name, std::string_view content);

std::string_view asText(Bytes bytes);
/// The parts between NUL bytes, for readers of several files; at least `count`, maybe empty. The
/// last one holds whatever follows.
std::vector<Bytes> parts(Bytes input, std::size_t count);

/// A find of its own where what was read is not what it says.
inline void require(bool good, const char* what) {
  if (!good) throw std::logic_error(what);
}

/// Reads every value, so that a sanitizer sees what lies beyond.
template <class Values>
void touch(const Values& values) {
  volatile std::uint8_t sink = 0;
  for (const auto& value : values) sink = sink ^ static_cast<std::uint8_t>(value != 0);
}

}  // namespace adamerge::fuzz
