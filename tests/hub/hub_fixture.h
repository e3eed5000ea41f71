// SPDX-License-Identifier: GPL-3.0-or-later
// A hub on the loopback address, a cache of the test's own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adamerge/hub.h"
#include "cli_runner.h"
#include "hub_server.h"

namespace adamerge::test {

/// acme/tiny-vit is the bundled model among files that nobody needs.
class HubTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::filesystem::path hubFolder() const { return folder_.path() / "hub"; }
  std::filesystem::path repository(const std::string& name = "acme/tiny-vit") const {
    return hubFolder() / name;
  }
  std::filesystem::path cached() const { return settings_.cache / "models--acme--tiny-vit"; }
  /// Starts the hub and points settings and environment to it.
  HubServer& serve(std::vector<std::string> options = {});
  std::filesystem::path fetchAll(const std::string& name = "acme/tiny-vit") const;
  /// The sentence with which fetching fails.
  std::string failure(const std::string& name = "acme/tiny-vit") const;
  /// Nothing in the cache is, or looks like, whole weights.
  void expectNoWeights() const;

  static std::string weightsHash();

  TemporaryFolder folder_;
  hub::Settings settings_;
  std::unique_ptr<HubServer> server_;
};

/// The commit that hub_server.py gives every repository.
constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

}  // namespace adamerge::test
