// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace adamerge::hub {

inline constexpr std::size_t kSha256Digits = 64;

/// The hash by which the hub names a file's content, of bytes as they come.
class Digest {
 public:
  /// Of the kind that `hash` is: SHA-256 where it has its digits, else git's SHA-1 of a blob of
  /// `bytes` bytes.
  Digest(std::string_view hash, std::int64_t bytes);
  void add(std::string_view bytes);
  std::string hex();  ///< once, at the end

 private:
  std::shared_ptr<void> context_;
};

}  // namespace adamerge::hub
