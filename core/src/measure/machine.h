// SPDX-License-Identifier: GPL-3.0-or-later
// Memory of this process, as Linux tells it, not known elsewhere, and how fast the machine makes
// products. (The machine itself: adamerge/benchmark.h.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace adamerge {

/// Gives back to the system what is freed already, so that it does not count as in use.
void releaseFreedMemory();

/// Bytes in memory now; nullopt where not known.
std::optional<std::uint64_t> residentBytes();

/// From now on peakBytes() tells the most since. False where the system does not let us.
bool restartPeak();
/// The most bytes in memory since restartPeak().
std::optional<std::uint64_t> peakBytes();

/// The product of kProductShape on a device in a number type, as Engine names them, on as many
/// threads as the engine has.
class ProductRate {
 public:
  ProductRate(const std::string& device, const std::string& dtype);
  ProductRate(ProductRate&&) noexcept;
  ~ProductRate();

  /// GFLOP/s, multiplications and additions both counted; the median of a few products in a row.
  double measure() const;

 private:
  struct Operands;
  std::unique_ptr<Operands> operands_;
};

/// Threads that the engine computes with.
int threadsInUse();
/// Of one number.
std::size_t bytesOf(const std::string& dtype);

}  // namespace adamerge
