// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub_fixture.h"

#include <cstdlib>

#include "error_message.h"
#include "hub/cache.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;

void pointTo(const hub::Settings& settings) {
  ::setenv("HF_ENDPOINT", settings.endpoint.c_str(), 1);
  ::setenv("HF_HUB_CACHE", settings.cache.c_str(), 1);
}

}  // namespace

void HubTest::SetUp() {
  if (std::string(ADAMERGE_PYTHON).empty()) GTEST_SKIP() << "no /usr/bin/python3 to serve a hub";
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE",
                           "TRANSFORMERS_OFFLINE", "HF_TOKEN_PATH", "HF_ENDPOINT"}) {
    ::unsetenv(name);
  }
  ::setenv("HF_HOME", (folder_.path() / "home").c_str(), 1);
  // A proxy of this machine has no business with the loopback address.
  ::setenv("no_proxy", "127.0.0.1,localhost", 1);
  settings_.cache = folder_.path() / "cache";
  fs::create_directories(repository());
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(bundledModel() / file, repository() / file);
  }
  for (const char* file : {"README.md", "tf_model.h5", "pytorch_model.bin", "onnx/model.onnx"}) {
    writeText(repository() / file, std::string(3000, 'x'));
  }
}

void HubTest::TearDown() {
  for (const char* name : {"HF_HOME", "HF_ENDPOINT", "HF_HUB_CACHE", "HF_TOKEN"}) ::unsetenv(name);
}

HubServer& HubTest::serve(std::vector<std::string> options) {
  server_ = nullptr;
  server_ = std::make_unique<HubServer>(hubFolder(), std::move(options));
  settings_.endpoint = server_->address();
  pointTo(settings_);
  return *server_;
}

fs::path HubTest::fetchAll(const std::string& name) const {
  return hub::fetch(hub::plan(*hub::parseName(name), settings_), settings_);
}

std::string HubTest::failure(const std::string& name) const {
  return errorMessage([&] { fetchAll(name); });
}

void HubTest::expectNoWeights() const {
  EXPECT_NE(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "");
  for (const std::string& file : filesIn(settings_.cache)) {
    EXPECT_EQ(file.find("model.safetensors"), std::string::npos) << file;
    EXPECT_FALSE(file.ends_with(weightsHash())) << file;
    EXPECT_EQ(file.find("refs/"), std::string::npos) << file;
  }
}

std::string HubTest::weightsHash() {
  const std::string bytes = contentOf(bundledModel() / "model.safetensors");
  hub::Digest digest(std::string(64, '0'), static_cast<std::int64_t>(bytes.size()));
  digest.add(bytes);
  return digest.hex();
}

}  // namespace adamerge::test
