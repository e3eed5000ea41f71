// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/huge_pages.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace adamerge {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = 2 * kHugePage;

/// LibTorch's own allocator, and a word to the system about what it gives.
class HugePages final : public c10::Allocator {
 public:
  explicit HugePages(c10::Allocator* own) : own_(own) {}

  // Which of them are virtual hangs on the version of LibTorch.
  // NOLINTBEGIN(modernize-use-override,cppcoreguidelines-explicit-virtual-functions)
  c10::DataPtr allocate(std::size_t bytes) const { return advised(own_->allocate(bytes), bytes); }
  c10::DataPtr allocate(std::size_t bytes) { return advised(own_->allocate(bytes), bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const {
    std::memcpy(to, from, bytes);
  }
  // NOLINTEND(modernize-use-override,cppcoreguidelines-explicit-virtual-functions)
  c10::DeleterFnPtr raw_deleter() const override { return own_->raw_deleter(); }

 private:
  static c10::DataPtr advised(c10::DataPtr memory, std::size_t bytes) {
    if (bytes < kLarge) return memory;
    const auto start = reinterpret_cast<std::uintptr_t>(memory.get());
    const std::uintptr_t first = (start + kHugePage - 1) / kHugePage * kHugePage;
    const std::uintptr_t last = (start + bytes) / kHugePage * kHugePage;
    // Where the system has none, ordinary pages stay.
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
    return memory;
  }

  c10::Allocator* own_;
};

}  // namespace

bool useHugePages() {
  static HugePages pages(c10::GetDefaultCPUAllocator());
  c10::SetCPUAllocator(&pages, /*priority=*/1);
  return true;
}

}  // namespace adamerge
