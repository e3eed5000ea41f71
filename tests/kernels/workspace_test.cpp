// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/workspace.h"

#include <gtest/gtest.h>

namespace adamerge::test {
namespace {

constexpr std::int64_t kMany = 5'000'000;  // 20 MB in fp32

at::Tensor result(std::int64_t elements, at::ScalarType type = at::kFloat) {
  return emptyResult({elements / 4, 4}, at::TensorOptions(type));
}

TEST(Workspace, GivesTheMemoryOfWhatIsNoLongerNeeded) {
  const Workspace workspace;
  at::Tensor first = result(kMany);
  const void* memory = first.data_ptr();
  const at::Tensor second = result(kMany);
  EXPECT_NE(second.data_ptr(), memory) << "the first is in use";
  const at::Tensor part = first.narrow(0, 1, 2);
  first = at::Tensor();
  EXPECT_NE(result(kMany).data_ptr(), memory) << "a part of the first is in use";
}

TEST(Workspace, SmallerAndOtherResultsTakeTheSamePlace) {
  const Workspace workspace;
  const void* memory = result(kMany).data_ptr();
  for (const auto& [elements, type] :
       {std::pair(kMany, at::kFloat), {kMany - 40, at::kFloat}, {2 * kMany, at::kBFloat16}}) {
    at::Tensor next = result(elements, type);
    EXPECT_EQ(next.data_ptr(), memory);
    EXPECT_EQ(next.scalar_type(), type);
    EXPECT_EQ(next.sizes(), at::IntArrayRef({elements / 4, 4}));
    EXPECT_TRUE(next.is_contiguous());
    next.fill_(1);
    EXPECT_EQ(next.sum(at::kDouble).item<double>(), static_cast<double>(elements));
  }
}

TEST(Workspace, ResultsOutliveIt) {
  at::Tensor kept;
  {
    const Workspace workspace;
    kept = result(kMany).fill_(3);
  }
  const at::Tensor other = result(kMany).fill_(4);
  EXPECT_EQ(kept.min().item<float>(), 3);
  EXPECT_NE(other.data_ptr(), kept.data_ptr());
}

TEST(Workspace, SmallResultsAreLeftToMalloc) {
  const Workspace workspace;
  const at::Tensor small = result(400);
  EXPECT_EQ(small.storage().nbytes(), 1600U);
  EXPECT_EQ(small.storage().use_count(), 1U);
}

}  // namespace
}  // namespace adamerge::test
