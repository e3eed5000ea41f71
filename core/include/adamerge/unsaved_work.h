// SPDX-License-Identifier: GPL-3.0-or-later
// Work that would be lost if the program ended now.
#pragma once

#include <atomic>

namespace adamerge {

/// While one lives, something measured or half-written is on its way into a file: whoever wants the
/// program to end waits for it.
class UnsavedWork {
 public:
  UnsavedWork() { ++count; }
  ~UnsavedWork() { --count; }
  UnsavedWork(const UnsavedWork&) = delete;
  UnsavedWork& operator=(const UnsavedWork&) = delete;
  /// Of any thread.
  static bool any() { return count > 0; }

 private:
  static inline std::atomic<int> count = 0;
};

}  // namespace adamerge
