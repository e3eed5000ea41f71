// SPDX-License-Identifier: GPL-3.0-or-later
// Names and places as in PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
#include "weights/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kLocalHeaderSize = 30;
constexpr std::uint64_t kDirectoryEntrySize = 46;
constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kLongestComment = 65535;
constexpr std::uint64_t kIn64 = 0xffffffff;  ///< the value stands in the zip64 field
constexpr unsigned kStored = 0;
constexpr unsigned kDeflated = 8;

// Weights are noise and hardly shrink; a file made to fill the memory shrinks a thousandfold.
constexpr std::uint64_t kMostExpansion = 64;
constexpr std::uint64_t kAlwaysAllowed = 1U << 20U;

/// CRC-32, several pieces at once.
std::uint64_t checksumOf(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kPiece = 1U << 20U;
  const auto piece = [&](std::size_t i) {
    return bytes.subspan(i * kPiece, std::min(kPiece, bytes.size() - i * kPiece));
  };
  std::vector<uLong> sums((bytes.size() + kPiece - 1) / kPiece);
  parallelFor(static_cast<std::int64_t>(sums.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      sums[i] = crc32_z(0, piece(i).data(), piece(i).size());
    }
  });
  uLong whole = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    whole = crc32_combine(whole, sums[i], static_cast<z_off_t>(piece(i).size()));
  }
  return whole;
}

}  // namespace

void ZipArchive::fail(std::string_view problem) const {
  throw Error(
      fmt::format("{}: the zip archive cannot be read ({}): is it a PyTorch checkpoint, "
                  "and was it downloaded completely?",
                  file_->name(), problem));
}

std::span<const std::uint8_t> ZipArchive::part(std::uint64_t place, std::uint64_t size) const {
  const auto bytes = file_->bytes();
  if (place > bytes.size() || size > bytes.size() - place) fail("it ends too early");
  return bytes.subspan(place, size);
}

/// Little-endian.
std::uint64_t ZipArchive::number(std::uint64_t place, int width) const {
  const auto bytes = part(place, static_cast<std::uint64_t>(width));
  std::uint64_t value = 0;
  for (int i = width; i-- > 0;) value = value << 8U | bytes[static_cast<std::size_t>(i)];
  return value;
}

ZipArchive::ZipArchive(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  const std::uint64_t size = file_->bytes().size();
  if (size < kEndSize) fail("it ends too early");
  const std::uint64_t first = size - std::min(size, kEndSize + kLongestComment);
  std::uint64_t end = size - kEndSize;
  while (number(end, 4) != kEnd) {
    if (end == first) fail("its directory is missing");
    --end;
  }
  std::uint64_t count = number(end + 10, 2);
  std::uint64_t length = number(end + 12, 4);
  std::uint64_t place = number(end + 16, 4);
  if (end >= kLocatorSize && number(end - kLocatorSize, 4) == kEnd64Locator) {
    const std::uint64_t end64 = number(end - kLocatorSize + 8, 8);
    if (number(end64, 4) != kEnd64) fail("its zip64 directory is missing");
    count = number(end64 + 32, 8);
    length = number(end64 + 40, 8);
    place = number(end64 + 48, 8);
  }
  readDirectory(place, length, count);
}

void ZipArchive::readDirectory(std::uint64_t place, std::uint64_t size, std::uint64_t count) {
  part(place, size);
  const std::uint64_t end = place + size;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (end - place < kDirectoryEntrySize || number(place, 4) != kDirectoryEntry) {
      fail("its directory is damaged");
    }
    const std::uint64_t name_size = number(place + 28, 2);
    const std::uint64_t extra_size = number(place + 30, 2);
    const std::uint64_t whole =
        kDirectoryEntrySize + name_size + extra_size + number(place + 32, 2);
    if (whole > end - place) fail("its directory is damaged");
    Entry entry;
    entry.encrypted = (number(place + 8, 2) & 1U) != 0;
    entry.method = static_cast<unsigned>(number(place + 10, 2));
    entry.checksum = number(place + 16, 4);
    entry.packed = number(place + 20, 4);
    entry.size = number(place + 24, 4);
    entry.header = number(place + 42, 4);
    const auto name = part(place + kDirectoryEntrySize, name_size);
    // Extra fields: id, size, content. Zip64's holds, in this order, what does not fit above.
    std::uint64_t field = place + kDirectoryEntrySize + name_size;
    const std::uint64_t fields_end = field + extra_size;
    while (fields_end - field >= 4) {
      const std::uint64_t content = field + 4;
      const std::uint64_t content_end = content + number(field + 2, 2);
      if (content_end > fields_end) break;
      if (number(field, 2) == 1) {
        std::uint64_t at = content;
        for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
          if (*value != kIn64 || content_end - at < 8) continue;
          *value = number(at, 8);
          at += 8;
        }
      }
      field = content_end;
    }
    if (!entries_.try_emplace(std::string(name.begin(), name.end()), entry).second) {
      fail(fmt::format("record {} is in it twice",
                       printable(std::string(name.begin(), name.end()), 60)));
    }
    place += whole;
  }
}

std::vector<std::string> ZipArchive::records() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

ZipRecord ZipArchive::read(const std::string& record) {
  const auto found = entries_.find(record);
  const std::string shown = printable(record, 60);
  if (found == entries_.end()) fail(fmt::format("record {} is missing", shown));
  const Entry& entry = found->second;
  if (entry.encrypted) fail(fmt::format("record {} is encrypted", shown));
  if (number(entry.header, 4) != kLocalHeader) fail(fmt::format("record {} is damaged", shown));
  // Its own name and extra fields may have other lengths than in the directory.
  const std::uint64_t data =
      entry.header + kLocalHeaderSize + number(entry.header + 26, 2) + number(entry.header + 28, 2);
  const auto packed = part(data, entry.packed);
  if (entry.method == kDeflated) return inflated(shown, entry, packed);
  if (entry.method != kStored) {
    fail(fmt::format("record {} is packed by method {}", shown, entry.method));
  }
  if (entry.size != entry.packed) fail(fmt::format("record {} is damaged", shown));
  checkSum(shown, entry, packed);
  return {file_, packed};
}

void ZipArchive::checkSum(const std::string& shown, const Entry& entry,
                          std::span<const std::uint8_t> unpacked) const {
  if (entry.checksum == 0 || checksumOf(unpacked) == entry.checksum) return;
  fail(fmt::format("record {} does not match its checksum", shown));
}

ZipRecord ZipArchive::inflated(const std::string& record, const Entry& entry,
                               std::span<const std::uint8_t> packed) {
  const std::uint64_t limit = kAlwaysAllowed + kMostExpansion * file_->bytes().size();
  if (entry.size > limit - unpacked_ || packed.size() > std::numeric_limits<uInt>::max() ||
      entry.size > std::numeric_limits<uInt>::max()) {
    fail(fmt::format("record {} claims {} bytes, unpacked far more than the file's {}", record,
                     entry.size, file_->bytes().size()));
  }
  if (entry.size == 0) return {};
  unpacked_ += entry.size;
  // Aligned as tensors need it.
  auto memory = std::make_shared<at::Tensor>(
      at::empty({static_cast<std::int64_t>(entry.size)}, at::TensorOptions(at::kByte)));
  z_stream stream{};
  constexpr int kRawDeflate = -15;
  if (inflateInit2(&stream, kRawDeflate) != Z_OK) fail("zlib does not start");
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = memory->data_ptr<std::uint8_t>();
  stream.avail_out = static_cast<uInt>(entry.size);
  const int result = ::inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END || stream.total_out != entry.size) {
    fail(fmt::format("record {} is damaged", record));
  }
  const std::span<const std::uint8_t> bytes(memory->data_ptr<std::uint8_t>(), entry.size);
  checkSum(record, entry, bytes);
  return {std::move(memory), bytes};
}

}  // namespace adamerge
