// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

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

}  // namespace adamerge
