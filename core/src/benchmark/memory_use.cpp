// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark/memory_use.h"

#include <fstream>
#include <string>
#include <string_view>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace adamerge {
namespace {

/// Of a line such as "VmHWM:    123456 kB".
std::optional<std::uint64_t> statusBytes(std::string_view key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == key && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

void releaseFreedMemory() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

std::optional<std::uint64_t> residentBytes() { return statusBytes("VmRSS:"); }

bool restartPeak() {
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << '5' << std::flush);
}

std::optional<std::uint64_t> peakBytes() { return statusBytes("VmHWM:"); }

}  // namespace adamerge
