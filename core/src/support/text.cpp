// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/text.h"

namespace adamerge {

std::string printable(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (text.size() > limit) result += "...";
  return result;
}

}  // namespace adamerge
