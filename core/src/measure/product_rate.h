// SPDX-License-Identifier: GPL-3.0-or-later
// What the machine's matrix products reach at best, through the core's own packed weights.
#pragma once

#include <memory>
#include <string>

namespace adamerge {

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
