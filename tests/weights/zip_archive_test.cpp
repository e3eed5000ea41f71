// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "checkpoint_writer.h"
#include "error_message.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using test::errorMessage;
using test::integerBytes;
using ::testing::HasSubstr;

/// A record as it will stand in a hand-made archive, honest or not.
struct Part {
  std::string name;
  std::string packed;
  std::uint64_t size;
  unsigned method = 0;
  unsigned flags = 0;
  std::uint64_t checksum = 0;  ///< 0: none, as torch.save writes on demand
};

/// `zip64`: sizes and places stand in zip64's fields, as in files over 4 GB.
std::string archiveOf(const std::vector<Part>& parts, bool zip64 = false,
                      const std::string& comment = "") {
  std::string bytes;
  std::string directory;
  for (const Part& part : parts) {
    const std::uint64_t place = bytes.size();
    const std::string common = integerBytes(part.flags, 2) + integerBytes(part.method, 2) +
                               integerBytes(0, 4) +  // time, date
                               integerBytes(part.checksum, 4);
    const auto size = [&](std::uint64_t value) {
      return integerBytes(zip64 ? 0xffffffffU : value, 4);
    };
    const std::string lengths =
        size(part.packed.size()) + size(part.size) + integerBytes(part.name.size(), 2);
    bytes += "PK\3\4" + integerBytes(20, 2) + common + lengths + integerBytes(0, 2) + part.name +
             part.packed;
    const std::string extra = zip64 ? integerBytes(1, 2) + integerBytes(24, 2) +
                                          integerBytes(part.size) +
                                          integerBytes(part.packed.size()) + integerBytes(place)
                                    : "";
    directory += "PK\1\2" + integerBytes(20, 2) + integerBytes(20, 2) + common + lengths +
                 integerBytes(extra.size(), 2) + integerBytes(0, 10) + size(place) + part.name +
                 extra;
  }
  const std::uint64_t place = bytes.size();
  bytes += directory;
  if (zip64) {
    const std::uint64_t end = bytes.size();
    bytes += "PK\6\6" + integerBytes(44) + integerBytes(0, 4) + integerBytes(0, 8) +
             integerBytes(parts.size()) + integerBytes(parts.size()) +
             integerBytes(directory.size()) + integerBytes(place);
    bytes += "PK\6\7" + integerBytes(0, 4) + integerBytes(end) + integerBytes(1, 4);
  }
  const std::uint64_t count = zip64 ? 0xffffU : parts.size();
  return bytes + "PK\5\6" + integerBytes(0, 4) + integerBytes(count, 2) + integerBytes(count, 2) +
         integerBytes(zip64 ? 0xffffffffU : directory.size(), 4) +
         integerBytes(zip64 ? 0xffffffffU : place, 4) + integerBytes(comment.size(), 2) + comment;
}

std::string deflated(const std::string& text) {
  std::string packed(text.size() + text.size() / 100 + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class ZipArchiveTest : public ::testing::Test {
 protected:
  ZipArchive open(const std::string& bytes) {
    const auto path = folder_.path() / "some.pth";
    test::writeBytes(path, bytes);
    return ZipArchive(std::make_shared<const MappedFile>(path));
  }
  std::string read(const std::string& bytes, const std::string& record) {
    ZipArchive archive = open(bytes);
    const ZipRecord found = archive.read(record);
    return {found.bytes.begin(), found.bytes.end()};
  }
  std::string errorFor(const std::string& bytes) {
    const std::string message = errorMessage([&] { read(bytes, "a"); });
    EXPECT_THAT(message, HasSubstr("some.pth: the zip archive cannot be read"));
    return message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ZipArchiveTest, ReadsStoredAndDeflatedRecordsWithAndWithoutZip64) {
  const std::string text(3000, 'x');
  for (const bool zip64 : {false, true}) {
    const std::string whole = archiveOf(
        {{"a", "hello", 5}, {"folder/b", deflated(text), text.size(), 8}}, zip64, "a comment");
    EXPECT_EQ(read(whole, "a"), "hello");
    EXPECT_EQ(read(whole, "folder/b"), text);
    EXPECT_EQ(open(whole).records(), (std::vector<std::string>{"a", "folder/b"}));
  }
}

TEST_F(ZipArchiveTest, ChecksWhatIsClaimedBeforeMemoryIsTaken) {
  EXPECT_THAT(errorFor(archiveOf({{"a", deflated("x"), 1ULL << 31U, 8}})), HasSubstr("claims"));
  EXPECT_THAT(errorFor(archiveOf({{"a", deflated("x"), 1ULL << 62U, 8}}, true)),
              HasSubstr("claims"));
  EXPECT_THAT(errorFor(archiveOf({{"a", deflated("xyz"), 2, 8}})), HasSubstr("damaged"));
  EXPECT_THAT(errorFor(archiveOf({{"a", deflated("xyz"), 4, 8}})), HasSubstr("damaged"));
  EXPECT_THAT(errorFor(archiveOf({{"a", "hello", 6}})), HasSubstr("damaged"));
  // Many records, each within the bounds: their sum counts.
  const std::string zeros(1U << 20U, '\0');
  std::vector<Part> many;
  for (int i = 0; i < 80; ++i)
    many.push_back({std::to_string(i), deflated(zeros), zeros.size(), 8});
  ZipArchive archive = open(archiveOf(many));
  EXPECT_THAT(errorMessage([&] {
                for (const Part& part : many) archive.read(part.name);
              }),
              HasSubstr("claims"));
}

TEST_F(ZipArchiveTest, ChecksumsOfStoredAndDeflatedRecordsAreChecked) {
  const auto checksum = [](const std::string& text) {
    return crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  };
  std::string text(9U << 20U, 'x');  // several pieces
  std::mt19937 random(1);
  for (char& byte : text) byte = static_cast<char>(random());
  for (const unsigned method : {0U, 8U}) {
    const std::string packed = method == 0 ? text : deflated(text);
    const auto whole = [&](const std::string& stored) {
      return archiveOf({{"a", stored, text.size(), method, 0, checksum(text)}});
    };
    EXPECT_EQ(read(whole(packed), "a"), text);
    if (method == 8) continue;
    for (const std::size_t place : {std::size_t{0}, text.size() / 2, text.size() - 1}) {
      std::string damaged = packed;
      damaged[place] = static_cast<char>(damaged[place] ^ 1);
      EXPECT_THAT(errorFor(whole(damaged)), HasSubstr("record a does not match its checksum"));
    }
  }
  EXPECT_THAT(errorFor(archiveOf({{"a", deflated("hello"), 5, 8, 0, checksum("hallo")}})),
              HasSubstr("record a does not match its checksum"));
  // Of no bytes the checksum is 0.
  EXPECT_EQ(read(archiveOf({{"a", "", 0}}), "a"), "");
}

TEST_F(ZipArchiveTest, SaysWhatItCannotRead) {
  EXPECT_THAT(errorFor(archiveOf({{"a", "hello", 5, 12}})), HasSubstr("method 12"));
  EXPECT_THAT(errorFor(archiveOf({{"a", "hello", 5, 0, 1}})), HasSubstr("encrypted"));
  EXPECT_THAT(errorFor(archiveOf({{"a", "x", 1}, {"a", "y", 1}})), HasSubstr("twice"));
  EXPECT_THAT(errorFor(archiveOf({{"b", "x", 1}})), HasSubstr("missing"));
  EXPECT_THAT(errorFor("PK\3\4"), HasSubstr("ends too early"));
  const std::string whole = archiveOf({{"a", "hello", 5}});
  for (std::size_t size = 22; size < whole.size(); ++size) errorFor(whole.substr(0, size));
  EXPECT_THAT(errorFor(whole.substr(1)), HasSubstr("damaged"));
}

}  // namespace
}  // namespace adamerge
