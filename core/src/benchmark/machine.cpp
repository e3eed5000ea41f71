// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "adamerge/benchmark.h"
#include "engine/kernels/isa.h"

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

std::string isaName(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAmx:
      return "amx";
  }
  return "";
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
