// SPDX-License-Identifier: GPL-3.0-or-later
// Text as other systems write it, as it may stand in a message, and what files say of the program.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace adamerge {

inline constexpr const char* kProgram = "AdaMerge Studio";
/// Of the settings stored in figures, of a run or of a trace.
inline constexpr int kProvenanceFormat = 1;

/// A file's bytes as UTF-8: without a byte order mark, from UTF-16 of either order where a mark or
/// a first character of ASCII shows it. Throws Error: half a character of UTF-16.
std::string utf8Text(std::string_view bytes);

/// `text` with spaces for control characters: a name from a file, which may be shown anywhere.
std::string oneLine(std::string text);

/// Text from a file as it may stand in a message: one line of printable ASCII, shortened.
std::string printable(std::string_view text, std::size_t limit = 120);

/// The same but for capitals, and hyphens for underscores: how people write a name they have read.
bool sameName(std::string_view a, std::string_view b);

/// A field of a CSV file that may hold anything (RFC 4180).
std::string csvQuoted(std::string_view text);
std::string csvUnquoted(std::string_view field);
/// Splits the row that begins at `at` into its fields, as they stand in the file, and returns where
/// the next one does; npos: the text ends within it.
std::size_t splitCsvRow(std::string_view text, std::size_t at,
                        std::vector<std::string_view>& fields);

/// "a, b, c and 7 more": `items` is any container of texts, of which at most `shown` are named.
template <class Items>
std::string someOf(const Items& items, std::size_t shown = 5) {
  std::string result;
  std::size_t named = 0;
  for (const auto& item : items) {
    if (named == shown) break;
    result += fmt::format("{}{}", named == 0 ? "" : ", ", printable(item, 60));
    ++named;
  }
  if (items.size() > named) result += fmt::format(" and {} more", items.size() - named);
  return result;
}

}  // namespace adamerge
