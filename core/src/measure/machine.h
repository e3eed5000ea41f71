// SPDX-License-Identifier: GPL-3.0-or-later
// Memory of this process, as Linux tells it; not known elsewhere. (The machine itself:
// adamerge/benchmark.h.)
#pragma once

#include <cstdint>
#include <optional>

namespace adamerge {

/// Gives back to the system what is freed already, so that it does not count as in use.
void releaseFreedMemory();

/// Bytes in memory now; nullopt where not known.
std::optional<std::uint64_t> residentBytes();

/// From now on peakBytes() tells the most since. False where the system does not let us.
bool restartPeak();
/// The most bytes in memory since restartPeak().
std::optional<std::uint64_t> peakBytes();

}  // namespace adamerge
