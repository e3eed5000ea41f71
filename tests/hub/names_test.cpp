// SPDX-License-Identifier: GPL-3.0-or-later
// Names of models, the environment, hashes, and the cache's layout.
#include <array>
#include <cstdlib>
#include <optional>

#include "error_message.h"
#include "hub/cache.h"
#include "hub_fixture.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(HubNames, AreReadAsTimmAndTheHubWriteThem) {
  const auto name = [](const char* text) {
    const auto parsed = hub::parseName(text);
    return parsed ? parsed->repository + " " + parsed->revision : "path";
  };
  EXPECT_EQ(name("google/vit-base-patch16-224"), "google/vit-base-patch16-224 main");
  EXPECT_EQ(name("hf-hub:timm/vit_base_patch16_224.augreg_in21k"),
            "timm/vit_base_patch16_224.augreg_in21k main");
  EXPECT_EQ(name("hf_hub:timm/a@v1.0"), "timm/a v1.0");
  EXPECT_EQ(name("a/b@refs/pr/1"), "a/b refs/pr/1");
  EXPECT_EQ(name("https://huggingface.co/google/vit-base-patch16-224/"),
            "google/vit-base-patch16-224 main");
  EXPECT_EQ(name("https://hf.co/a/b/tree/refs/pr/1?x=y#z"), "a/b refs/pr/1");
  for (const char* path :
       {"model", "./a/b", "../a/b", "/a/b", "a/b/c", "a/b/", "a/model.safetensors", "a/model.pth",
        "a b/c", "", "/", "a/-b", "a/b..c", "a/b--c", "a/b@", "a/b@../x"}) {
    EXPECT_EQ(name(path), "path") << path;
  }
  for (const char* wrong :
       {"hf-hub:", "hf-hub:model", "hf-hub:a/b/c", "hf-hub:../b", "hf-hub:a/b@..",
        "https://huggingface.co/", "https://huggingface.co/a", "https://hf.co/a/b/blob/main/c"}) {
    EXPECT_THAT(errorMessage([&] { hub::parseName(wrong); }), HasSubstr("OWNER/NAME")) << wrong;
  }
  EXPECT_EQ((hub::ModelName{"a/b"}.text()), "a/b");
  EXPECT_EQ((hub::ModelName{"a/b", "v1"}.text()), "a/b@v1");
}

TEST(HubNames, AFolderThatIsThereIsNoName) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "a" / "b");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_FALSE(hub::parseName("a/b"));
  EXPECT_TRUE(hub::parseName("a/c"));
  fs::current_path(before);
}

/// Runs without the variables of whoever runs the tests.
class HubSettings : public testing::Test {
 protected:
  static constexpr std::array<const char*, 12> kVariables{"HF_HUB_CACHE",
                                                          "HUGGINGFACE_HUB_CACHE",
                                                          "HF_HOME",
                                                          "XDG_CACHE_HOME",
                                                          "HF_ENDPOINT",
                                                          "HF_TOKEN",
                                                          "HF_TOKEN_PATH",
                                                          "HUGGING_FACE_HUB_TOKEN",
                                                          "HF_HUB_OFFLINE",
                                                          "TRANSFORMERS_OFFLINE",
                                                          "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                                          "HOME"};
  void SetUp() override {
    for (const char* name : kVariables) {
      const char* value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? std::optional<std::string>() : value);
      ::unsetenv(name);
    }
    ::setenv("HOME", folder_.path().c_str(), 1);
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name, value->c_str(), 1) : ::unsetenv(name);
    }
  }

  TemporaryFolder folder_;
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST_F(HubSettings, FollowTheHubsOwnVariables) {
  const fs::path home = folder_.path();
  EXPECT_EQ(hub::settingsFromEnvironment().cache, home / ".cache/huggingface/hub");
  EXPECT_EQ(hub::settingsFromEnvironment().endpoint, "https://huggingface.co");
  EXPECT_FALSE(hub::settingsFromEnvironment().offline);
  EXPECT_EQ(hub::settingsFromEnvironment().token, "");
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().cache, "/x/huggingface/hub");
  ::setenv("HF_HOME", "~/hf", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().cache, home / "hf/hub");
  ::setenv("HF_HUB_CACHE", "/c", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().cache, "/c");
  ::setenv("HF_ENDPOINT", "http://mirror:8080/", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().endpoint, "http://mirror:8080");
  for (const char* on : {"1", "true", "Yes", "ON"}) {
    ::setenv("HF_HUB_OFFLINE", on, 1);
    EXPECT_TRUE(hub::settingsFromEnvironment().offline) << on;
  }
  ::setenv("HF_HUB_OFFLINE", "0", 1);
  EXPECT_FALSE(hub::settingsFromEnvironment().offline);
}

TEST_F(HubSettings, FindTheToken) {
  writeText(folder_.path() / ".cache/huggingface/token", "hf_file\n");
  EXPECT_EQ(hub::settingsFromEnvironment().token, "hf_file");
  ::setenv("HF_TOKEN", "  hf_variable ", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().token, "hf_variable");
  ::setenv("HF_TOKEN", "hf_a\r\nX-Evil: b", 1);
  const std::string message = errorMessage([] { hub::settingsFromEnvironment(); });
  EXPECT_THAT(message, HasSubstr("HF_TOKEN"));
  EXPECT_EQ(message.find("hf_a"), std::string::npos) << "the token is shown";
  ::setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", 1);
  EXPECT_EQ(hub::settingsFromEnvironment().token, "");
}

TEST(HubDigest, IsSha256OrGitsSha1) {
  hub::Digest sha256(std::string(64, '0'), 3);
  sha256.add("a");
  sha256.add("bc");
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(sha256.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  hub::Digest git(std::string(40, '0'), 6);
  git.add("hello\n");
  // `echo hello | git hash-object --stdin`.
  EXPECT_EQ(git.hex(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

TEST(HubLayout, NamesFoldersAsTheHubsClientDoes) {
  EXPECT_EQ(hub::folderName("google/vit-base"), "models--google--vit-base");
  EXPECT_EQ(hub::repositoryOf("models--google--vit-base"), "google/vit-base");
  EXPECT_EQ(hub::repositoryOf("datasets--a--b"), std::nullopt);
  EXPECT_EQ(hub::repositoryOfSnapshot("/c/models--a--b/snapshots/0123"), "a/b");
  EXPECT_EQ(hub::repositoryOfSnapshot("/c/models--a--b/snapshots/0123/"), "a/b");
  EXPECT_EQ(hub::repositoryOfSnapshot("/c/models--a--b/blobs"), std::nullopt);
  EXPECT_EQ(hub::repositoryOfSnapshot("/"), std::nullopt);
}

}  // namespace
}  // namespace adamerge::test
