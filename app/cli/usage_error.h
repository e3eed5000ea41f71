// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "adamerge/error.h"

namespace adamerge::cli {

/// The command line itself is wrong: which option, and what it takes. Exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// What `call` returns; an Error of it is one of the command line, told after `prefix`.
template <typename Call>
auto asUsage(const Call& call, const std::string& prefix = {}) {
  try {
    return call();
  } catch (const Error& error) {
    throw UsageError(prefix + error.what());
  }
}

}  // namespace adamerge::cli
