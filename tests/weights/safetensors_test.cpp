// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "error_message.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"
#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

using test::errorMessage;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Safetensors : public ::testing::Test {
 protected:
  std::string errorFor(const std::string& bytes) {
    test::writeBytes(path_, bytes);
    const std::string message = errorMessage([this] { readWeights(path_); });
    EXPECT_THAT(message, HasSubstr(path_.string()));
    return message;
  }
  /// One entry "w" with these fields and so many bytes of data.
  std::string errorForEntry(const std::string& entry, std::size_t bytes = 8) {
    return errorFor(test::safetensorsBytes("{\"w\":" + entry + "}", std::string(bytes, '\0')));
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "some.safetensors";
};

TEST_F(Safetensors, KeepsValuesOfEveryType) {
  const at::Tensor values = at::arange(6, at::kFloat).reshape({2, 3});
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool}) {
    const at::Tensor written = values.to(type);
    test::writeSafetensors(path_, {{"w", written}, {"x.y", written[0]}});
    const StateDict read = readWeights(path_).tensors;
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read.at("w").scalar_type(), type);
    EXPECT_TRUE(read.at("w").equal(written)) << type;
    EXPECT_TRUE(read.at("x.y").equal(written[0])) << type;
  }
}

/// What the process holds of files, in bytes (Linux).
std::size_t residentOfFiles() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == "RssFile:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

TEST_F(Safetensors, WhatIsReleasedLeavesTheMemoryAndCanBeReadAgain) {
  constexpr std::int64_t kCount = 4 << 20;
  constexpr std::size_t kBytes = kCount * sizeof(float);
  const at::Tensor written = at::arange(kCount, at::kFloat);
  test::writeSafetensors(path_, {{"a", written}, {"b", written + 1}});
  const StateDict read = readWeights(path_).tensors;
  EXPECT_TRUE(read.at("a").equal(written));
  EXPECT_TRUE(read.at("b").equal(written + 1));
  const std::size_t before = residentOfFiles();
  ASSERT_GT(before, 2 * kBytes);
  releaseMapped(read.at("a").data_ptr(), kBytes);
  EXPECT_LT(residentOfFiles(), before - kBytes * 9 / 10);
  EXPECT_GT(residentOfFiles(), kBytes);
  EXPECT_TRUE(read.at("a").equal(written));
  // Memory of our own stays: from somewhere else, and around the end of the file.
  const at::Tensor own = written.clone();
  releaseMapped(own.data_ptr(), kBytes);
  EXPECT_TRUE(own.equal(written));
  const std::size_t now = residentOfFiles();
  releaseMapped(read.at("b").data_ptr(), 4 * kBytes);
  EXPECT_GT(residentOfFiles() + kBytes / 2, now);
}

TEST_F(Safetensors, KeepsScalarsAndEmptyTensors) {
  test::writeSafetensors(path_, {{"empty", at::empty({0, 4})}, {"scalar", at::tensor(2.5F)}});
  const StateDict read = readWeights(path_).tensors;
  EXPECT_EQ(read.at("empty").sizes(), at::IntArrayRef({0, 4}));
  EXPECT_EQ(read.at("scalar").item<float>(), 2.5F);
}

/// Byte by byte what https://github.com/huggingface/safetensors#format says.
TEST_F(Safetensors, WritesTheFormatAsItIsDefined) {
  writeSafetensors(
      path_, {{"b", at::tensor({1.0F, -2.0F}).reshape({2, 1})}, {"a", at::tensor({7}, at::kByte)}});
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"data_offsets":[0,1],"dtype":"U8","shape":[1]},)"
      R"("b":{"data_offsets":[1,9],"dtype":"F32","shape":[2,1]}})";
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  std::string expected = std::string(1, static_cast<char>(padded)) + std::string(7, '\0') + header +
                         std::string(padded - header.size(), ' ');
  expected += std::string("\x07\x00\x00\x80\x3f\x00\x00\x00\xc0", 9);
  ASSERT_LT(padded, 256U);
  EXPECT_EQ(test::readBytes(path_), expected);
}

TEST_F(Safetensors, KeepsMetadata) {
  writeSafetensors(path_, {{"w", at::ones({1})}}, {{"state", "{\"step\": 3}"}, {"text", "ü\n"}});
  const SafetensorsMetadata metadata = readSafetensorsMetadata(MappedFile(path_));
  EXPECT_EQ(metadata,
            (SafetensorsMetadata{{"format", "pt"}, {"state", "{\"step\": 3}"}, {"text", "ü\n"}}));
  test::writeBytes(path_, test::safetensorsBytes("{\"w\":1}", ""));
  EXPECT_TRUE(readSafetensorsMetadata(MappedFile(path_)).empty());
}

TEST_F(Safetensors, TensorsOutliveTheFileAndOneAnother) {
  test::writeSafetensors(path_, {{"v", at::ones({3})}, {"w", at::full({3}, 2.0F)}});
  at::Tensor kept;
  {
    const StateDict read = readWeights(path_).tensors;
    kept = read.at("w");
  }
  std::filesystem::remove(path_);
  EXPECT_TRUE(kept.equal(at::full({3}, 2.0F)));
}

TEST_F(Safetensors, ReadsUnalignedData) {
  const at::Tensor written = at::arange(5, at::kFloat) + 0.25F;
  for (int padding = 1; padding < 8; ++padding) {
    test::writeBytes(path_, test::safetensorsBytes({{"w", written}}, padding));
    EXPECT_TRUE(readWeights(path_).tensors.at("w").equal(written)) << padding;
  }
}

TEST_F(Safetensors, ReportsProgressAndStops) {
  test::writeSafetensors(path_, {{"v", at::ones({3})}, {"w", at::ones({3})}});
  std::int64_t done = 0;
  readWeights(path_, [&done](const Progress& progress) {
    EXPECT_EQ(progress.total, 2);
    EXPECT_EQ(progress.done, ++done);
  });
  EXPECT_EQ(done, 2);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(readWeights(path_, {}, stop.get_token()), Cancelled);
}

TEST_F(Safetensors, RefusesTwoTensorsOfOneName) {
  EXPECT_THAT(
      errorFor(test::safetensorsBytes(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                      R"("w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})",
                                      std::string(4, '\0'))),
      HasSubstr("two tensors are called 'w'"));
}

TEST_F(Safetensors, RefusesTypesWithoutArithmeticOnlyWhereTheyAreRead) {
  const std::string header =
      R"({"module.patch_embed.proj.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
      R"("scales":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[4,8]}})";
  test::writeBytes(path_, test::safetensorsBytes(header, std::string(8, '\0')));
  EXPECT_EQ(readWeights(path_).tensors.size(), 1U);
  EXPECT_THAT(errorForEntry(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"),
              AllOf(HasSubstr("'w'"), HasSubstr("F8_E4M3"), HasSubstr("BF16")));
}

TEST_F(Safetensors, RefusesBadLengths) {
  EXPECT_THAT(errorFor("abc"), HasSubstr("has 3 bytes"));
  EXPECT_THAT(errorFor(""), HasSubstr("empty"));
  EXPECT_THAT(errorFor(test::integerBytes(1ULL << 60U) + "{}"), HasSubstr("1152921504606846976"));
  EXPECT_THAT(errorFor(test::integerBytes(100'000'001) + "{}"),
              AllOf(HasSubstr("100000001"), HasSubstr("100000000")));
  EXPECT_THAT(errorFor(test::integerBytes(1000) + "{}"),
              AllOf(HasSubstr("has 10 bytes"), HasSubstr("needs 1008"), HasSubstr("incomplete")));
}

TEST_F(Safetensors, RefusesBrokenHeaders) {
  EXPECT_THAT(errorFor(test::safetensorsBytes("{\"w\":", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorFor(test::safetensorsBytes("[1]", "")), HasSubstr("JSON array"));
  EXPECT_THAT(errorFor(test::safetensorsBytes(std::string(100'000, '['), "")),
              HasSubstr("not valid JSON"));
  EXPECT_THAT(errorFor(test::safetensorsBytes("{\"w\":1e999}", "")), HasSubstr("JSON"));
}

TEST_F(Safetensors, RefusesBrokenEntries) {
  EXPECT_THAT(errorForEntry("7"), AllOf(HasSubstr("'w'"), HasSubstr("not an object")));
  EXPECT_THAT(errorForEntry(R"({"shape":[2],"data_offsets":[0,8]})"), HasSubstr("no dtype"));
  EXPECT_THAT(errorForEntry(R"({"dtype":"F32","data_offsets":[0,8]})"), HasSubstr("no shape"));
  EXPECT_THAT(errorForEntry(R"({"dtype":"F32","shape":[2]})"), HasSubstr("no data_offsets"));
  EXPECT_THAT(errorForEntry(R"({"dtype":3,"shape":[2],"data_offsets":[0,8]})"),
              HasSubstr("dtype is not a text"));
  EXPECT_THAT(errorForEntry(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"),
              AllOf(HasSubstr("'w'"), HasSubstr("F8_E4M3"), HasSubstr("F32, F16, BF16")));
}

TEST_F(Safetensors, RefusesBadShapes) {
  for (const char* shape : {"[-2]", "[1.5]", "[\"2\"]", "7", "[9223372036854775808]", "[1e30]",
                            "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]"}) {
    EXPECT_THAT(
        errorForEntry(fmt::format(R"({{"dtype":"F32","shape":{},"data_offsets":[0,8]}})", shape)),
        AllOf(HasSubstr("'w'"), HasSubstr("shape")))
        << shape;
  }
  EXPECT_THAT(
      errorForEntry(R"({"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]})"),
      HasSubstr("too large"));
}

TEST_F(Safetensors, RefusesBadOffsets) {
  const auto entry = [](const std::string& offsets) {
    return R"({"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
  };
  EXPECT_THAT(errorForEntry(entry("[0]")), HasSubstr("not a pair"));
  EXPECT_THAT(errorForEntry(entry("[-8,0]")), HasSubstr("natural numbers"));
  EXPECT_THAT(errorForEntry(entry("[8,0]")), AllOf(HasSubstr("begin at 8"), HasSubstr("end at 0")));
  EXPECT_THAT(errorForEntry(entry("[0,12]"), 12),
              AllOf(HasSubstr("span 12 bytes"), HasSubstr("[2] of F32 needs 8")));
  EXPECT_THAT(errorForEntry(entry("[9223372036854775800,9223372036854775807]")),
              HasSubstr("span 7 bytes"));
  EXPECT_THAT(errorForEntry(entry("[9223372036854775799,9223372036854775807]")),
              HasSubstr("incomplete"));
}

TEST_F(Safetensors, RefusesTruncatedAndOverlongData) {
  const std::string whole = test::safetensorsBytes({{"w", at::ones({100})}});
  EXPECT_THAT(errorFor(whole.substr(0, whole.size() - 3)),
              AllOf(HasSubstr(fmt::format("has {} bytes", whole.size() - 3)),
                    HasSubstr(fmt::format("needs {}", whole.size())), HasSubstr("'w'"),
                    HasSubstr("download incomplete")));
  EXPECT_THAT(errorFor(whole + "xx"), HasSubstr(fmt::format("has {} bytes", whole.size() + 2)));
}

TEST_F(Safetensors, RefusesOverlapsAndHoles) {
  const auto header = [](int begin) {
    return fmt::format(R"({{"v":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},)"
                       R"("w":{{"dtype":"F32","shape":[2],"data_offsets":[{},{}]}}}})",
                       begin, begin + 8);
  };
  EXPECT_THAT(errorFor(test::safetensorsBytes(header(4), std::string(12, '\0'))),
              AllOf(HasSubstr("'v' and 'w' overlap"), HasSubstr("byte 4")));
  EXPECT_THAT(errorFor(test::safetensorsBytes(header(0), std::string(8, '\0'))),
              HasSubstr("overlap"));
  EXPECT_THAT(errorFor(test::safetensorsBytes(header(12), std::string(20, '\0'))),
              AllOf(HasSubstr("4 bytes before tensor 'w'")));
}

}  // namespace
}  // namespace adamerge
