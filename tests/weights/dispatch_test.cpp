// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_writer.h"
#include "error_message.h"
#include "temporary_folder.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

using test::errorMessage;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Dispatch : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    test::writeBytes(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  std::string errorFor(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = write(name, bytes);
    const std::string message = errorMessage([&] { readWeights(path); });
    EXPECT_THAT(message, HasSubstr(path.string()));
    return message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Dispatch, ContentDecidesNotTheExtension) {
  const at::Tensor ones = at::ones({2});
  EXPECT_TRUE(readWeights(write("a.bin", test::safetensorsBytes({{"w", ones}})))
                  .tensors.at("w")
                  .equal(ones));
  test::Pickle pickle;
  const std::string zip =
      test::zipBytes(test::smallRecords(test::addSmallStateDict(pickle).stop()));
  EXPECT_EQ(readWeights(write("b.safetensors", zip)).tensors.size(), 2U);
}

TEST_F(Dispatch, HeaderLengthsThatLookLikeSomethingElse) {
  // 0x0280 starts like an old pickle, 0x7b like JSON, 0x4b50 like a zip archive.
  for (const std::size_t length : {0x0280U, 0x7bU, 0x4b50U}) {
    std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    header.resize(length, ' ');
    const auto path = write("c.bin", test::safetensorsBytes(header, std::string(4, '\0')));
    EXPECT_EQ(readWeights(path).tensors.size(), 1U) << length;
  }
}

TEST_F(Dispatch, SaysWhatTheFileIsInstead) {
  const std::string lfs =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 346284714\n";
  EXPECT_THAT(errorFor("model.safetensors", lfs),
              AllOf(HasSubstr("Git LFS"), HasSubstr("git lfs pull")));
  EXPECT_THAT(errorFor("old.pth", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
              AllOf(HasSubstr("before 1.6"), HasSubstr("torch.save")));
  EXPECT_THAT(errorFor("tf_model.h5", "\x89HDF\r\n\x1a\n\x01"), HasSubstr("HDF5"));
  EXPECT_THAT(errorFor("flax_model.msgpack", "\x82\xa3vit"), HasSubstr("Flax"));
  EXPECT_THAT(errorFor("model.onnx", "\x08\x07\x12\x07pytorch"), HasSubstr("ONNX"));
  EXPECT_THAT(errorFor("model.pth.tar", std::string(257, 'a') + "ustar"), HasSubstr("tar archive"));
  EXPECT_THAT(errorFor("model.pth.gz", "\x1f\x8b\x08\x01"), HasSubstr("gzip"));
  EXPECT_THAT(errorFor("page.safetensors", "\n <!DOCTYPE html><html></html>"),
              HasSubstr("web page"));
  EXPECT_THAT(errorFor("notes.pth", "just some words\n"), HasSubstr("a text file"));
  EXPECT_THAT(errorFor("picture.bin", "\x89PNG\r\n\x1a\n\x01\x02\x03"),
              AllOf(HasSubstr("no weight file"), HasSubstr("safetensors")));
  EXPECT_THAT(errorFor("empty.pth", ""), HasSubstr("empty"));
  EXPECT_THAT(errorFor("short.bin", "\x01"), HasSubstr("no weight file"));
  EXPECT_THAT(errorFor("x.json", "{\"a\": 1}"), HasSubstr("without a weight_map"));
}

TEST_F(Dispatch, RefusesMissingFilesAndFolders) {
  EXPECT_THAT(errorMessage([&] { readWeights(folder_.path() / "none.pth"); }),
              HasSubstr("none.pth"));
  EXPECT_THAT(errorMessage([&] { readWeights(folder_.path()); }),
              AllOf(HasSubstr(folder_.path().string()), HasSubstr("folder")));
}

TEST_F(Dispatch, ReadsShards) {
  write("w-1.safetensors", test::safetensorsBytes({{"a", at::ones({2})}, {"b", at::ones({1})}}));
  write("w-2.safetensors", test::safetensorsBytes({{"c", at::full({2}, 3.0F)}}));
  const auto index = write("model.safetensors.index.json",
                           R"({"metadata":{"total_size":20},"weight_map":{"a":"w-1.safetensors",)"
                           R"("b":"w-1.safetensors","c":"w-2.safetensors"}})");
  const StateDict tensors = readWeights(index).tensors;
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_TRUE(tensors.at("c").equal(at::full({2}, 3.0F)));
}

TEST_F(Dispatch, RefusesBrokenShards) {
  const std::string name = "model.safetensors.index.json";
  write("w-1.safetensors", test::safetensorsBytes({{"a", at::ones({2})}}));
  EXPECT_THAT(errorFor(name, R"({"weight_map":{"a":"w-1.safetensors","c":"w-2.safetensors"}})"),
              AllOf(HasSubstr("w-2.safetensors is missing"), HasSubstr("1 of 2")));
  write(name, R"({"weight_map":{"a":"w-1.safetensors","z":"w-1.safetensors"}})");
  EXPECT_THAT(errorMessage([&] { readWeights(folder_.path() / name); }),
              AllOf(HasSubstr("w-1.safetensors"), HasSubstr("'z' is missing"), HasSubstr(name)));
  EXPECT_THAT(errorFor(name, R"({"weight_map":{}})"), HasSubstr("empty"));
  EXPECT_THAT(errorFor(name, R"({"weight_map":[]})"), HasSubstr("weight_map"));
  EXPECT_THAT(errorFor(name, "{\"weight_map\":"), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorFor(name, R"({"weight_map":{"a":"model.safetensors.index.json"}})"),
              HasSubstr("names it as a shard"));
  EXPECT_THAT(errorFor("weights.bin", R"({"weight_map":{"a":"weights.bin"}})"),
              HasSubstr("names it as a shard"));
  std::filesystem::create_symlink("loop.bin", folder_.path() / "loop.bin");
  EXPECT_THAT(errorFor(name, R"({"weight_map":{"a":"loop.bin"}})"), HasSubstr("loop.bin"));
}

TEST_F(Dispatch, ShardsStayInTheFolder) {
  for (const char* shard : {R"("../w.safetensors")", R"("/etc/passwd")", R"("..")", R"("")",
                            R"("a\\b")", R"("sub/w.safetensors")", "3", "null", R"("a\u0000b")"}) {
    EXPECT_THAT(errorFor("x.index.json", fmt::format(R"({{"weight_map":{{"a":{}}}}})", shard)),
                AllOf(HasSubstr("'a'"), HasSubstr("a file name is expected")))
        << shard;
  }
}

}  // namespace
}  // namespace adamerge
