// SPDX-License-Identifier: GPL-3.0-or-later
// libFuzzer's entries, for the target that the first argument names: fuzz TARGET [-OPTION ...]
// [FOLDER ...]. Without an argument it names them all.
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "targets.h"

namespace {

const adamerge::fuzz::Target* chosen = nullptr;

constexpr std::size_t kPngSignature = 8;

/// The checksums of all whole chunks, which a mutation breaks: libpng stops at the first.
void mendPng(std::uint8_t* data, std::size_t size) {
  const auto number = [&](std::size_t at) {
    return static_cast<std::size_t>(data[at]) << 24U |
           static_cast<std::size_t>(data[at + 1]) << 16U |
           static_cast<std::size_t>(data[at + 2]) << 8U | data[at + 3];
  };
  for (std::size_t at = kPngSignature; at + 12 <= size;) {
    const std::size_t length = number(at);
    if (length > size - at - 12) return;
    const auto checksum = ::crc32(0, data + at + 4, static_cast<uInt>(length + 4));
    for (int i = 0; i < 4; ++i) {
      data[at + 8 + length + static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(checksum >> (24 - 8 * i));
    }
    at += 12 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static const std::vector<adamerge::fuzz::Target> kAll = adamerge::fuzz::allTargets();
  const std::string_view name = *argc > 1 ? (*argv)[1] : "";
  for (const adamerge::fuzz::Target& target : kAll) {
    if (target.name == name) chosen = &target;
    if (name.empty())
      std::printf("%.*s\n", static_cast<int>(target.name.size()), target.name.data());
  }
  if (chosen == nullptr) std::exit(name.empty() ? 0 : 1);
  std::swap((*argv)[0], (*argv)[1]);
  ++*argv;
  --*argc;
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned /*seed*/) {
  size = LLVMFuzzerMutate(data, size, most);
  if (chosen->name == "png") mendPng(data, size);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adamerge::fuzz::run(*chosen, {data, size});
  return 0;
}
