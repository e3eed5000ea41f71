// SPDX-License-Identifier: GPL-3.0-or-later
#include "text_table.h"

#include <algorithm>

namespace adamerge::cli {
namespace {

constexpr std::size_t kGap = 2;

/// Characters, not bytes: those that continue a UTF-8 sequence do not count.
std::size_t widthOf(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string textTable(const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(header.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
  }
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], widthOf(header[i]));
  }
  std::string text;
  const auto addLine = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string padding(widths[i] - widthOf(cells[i]), ' ');
      if (i > 0) line += std::string(kGap, ' ');
      line += i == 0 ? cells[i] + padding : padding + cells[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  addLine(header);
  for (const auto& row : rows) addLine(row);
  return text;
}

}  // namespace adamerge::cli
