// SPDX-License-Identifier: GPL-3.0-or-later
// The corpus and all finds through the functions that the fuzzers call, without clang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "targets.h"

namespace adamerge::fuzz {
namespace {

namespace fs = std::filesystem;

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, EndsInAResultOrASentenceSoon) {
  const fs::path folder = fs::path(ADAMERGE_FUZZ_CORPUS) / GetParam().name;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    ++files;
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
    SCOPED_TRACE(entry.path().string());
    const auto start = std::chrono::steady_clock::now();
    run(GetParam(), bytes);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  }
  EXPECT_GT(files, 0);
}

TEST(Finds, EndTheProcess) {
  const Target throws{"throws", [](Bytes) { throw std::out_of_range("substr"); }};
  EXPECT_DEATH(run(throws, {}), "throws: not an adamerge::Error: substr");
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(allTargets()), [](const auto& target) {
  std::string name(target.param.name);
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace adamerge::fuzz
