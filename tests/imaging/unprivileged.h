// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <unistd.h>

#include <cstdlib>

namespace adamerge::test {

/// Root may read everything: while this lives, the test is nobody instead.
class Unprivileged {
 public:
  Unprivileged() : active_(::geteuid() == 0 && ::seteuid(kNobody) == 0) {}
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (active_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  static constexpr uid_t kNobody = 65534;
  bool active_;
};

}  // namespace adamerge::test
