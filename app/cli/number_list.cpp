// SPDX-License-Identifier: GPL-3.0-or-later
#include "number_list.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "usage_error.h"

namespace adamerge::cli {
namespace {

constexpr int kLargest = 1'000'000;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

bool parseCount(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 &&
         value <= kLargest;
}

}  // namespace

std::vector<int> parseNumberList(std::string_view option, std::string_view text) {
  const auto refuse = [&]() -> UsageError {
    return UsageError(fmt::format(
        "{} takes numbers as 8,12,16 or a range as 1:23 or 1:23:2, not '{}'", option, text));
  };
  std::set<int> values;
  for (const std::string_view part : split(text, ',')) {
    const std::vector<std::string_view> ends = split(part, ':');
    int first = 0;
    int last = 0;
    int step = 1;
    if (ends.size() > 3 || !parseCount(ends[0], first)) throw refuse();
    last = first;
    if (ends.size() > 1 && !parseCount(ends[1], last)) throw refuse();
    if (ends.size() > 2 && !parseCount(ends[2], step)) throw refuse();
    if (step < 1 || last < first) throw refuse();
    for (int value = first; value <= last; value += step) values.insert(value);
  }
  return {values.begin(), values.end()};
}

}  // namespace adamerge::cli
