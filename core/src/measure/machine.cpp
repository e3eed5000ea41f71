// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "adamerge/benchmark.h"
#include "kernels/cpu/isa.h"

namespace adamerge {
namespace {

std::string processorName(const utsname& system) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return system.machine;
}

}  // namespace

Machine thisMachine() {
  utsname system{};
  ::uname(&system);
  Machine machine;
  machine.processor = processorName(system);
  machine.cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  machine.instruction_set = isaName(bestIsa());
  machine.system = fmt::format("{} {}", system.sysname, system.release);
  double load = 0;
  if (::getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

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
