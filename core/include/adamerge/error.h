// SPDX-License-Identifier: GPL-3.0-or-later
// What the library throws.
#pragma once

#include <stdexcept>
#include <string>

namespace adamerge {

/// Something from outside (a file, a setting, the device) is not usable. what() is one sentence for
/// the user: it names the file or setting, says what is wrong and what would be right.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller's std::stop_token asked for an end. Nothing was half-written.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace adamerge
