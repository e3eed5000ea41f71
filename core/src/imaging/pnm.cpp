// SPDX-License-Identifier: GPL-3.0-or-later
// PBM, PGM and PPM, as text or binary. OpenCV does not scale by the largest value.
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "imaging/decoders.h"

namespace adamerge::imaging {
namespace {

bool isSpace(std::uint8_t value) { return value == ' ' || (value >= '\t' && value <= '\r'); }
bool isDigit(std::uint8_t value) { return value >= '0' && value <= '9'; }

class Reader {
 public:
  Reader(const Bytes& bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  int number() {
    skipBlank();
    if (at_ >= bytes_.size()) throwTruncated(name_, "PPM");
    if (!isDigit(bytes_[at_])) throwDamaged(name_, "PPM", "a number is expected in its header");
    std::int64_t value = 0;
    for (; at_ < bytes_.size() && isDigit(bytes_[at_]); ++at_) {
      value = std::min<std::int64_t>(value * 10 + (bytes_[at_] - '0'), 1'000'000'000);
    }
    return static_cast<int>(value);
  }

  /// A text bitmap's digits need no space between them.
  int bit() {
    skipBlank();
    if (at_ >= bytes_.size()) throwTruncated(name_, "PPM");
    const std::uint8_t digit = bytes_[at_++];
    if (digit != '0' && digit != '1') throwDamaged(name_, "PPM", "a bit is neither 0 nor 1");
    return digit - '0';
  }

  /// The one blank before binary samples, of which there are `needed` bytes; or CRLF, as Windows'
  /// editors leave it, where the bytes leave no doubt.
  void skipToSamples(std::size_t needed) {
    const bool crlf = left() == needed + 2 && bytes_[at_] == '\r' && bytes_[at_ + 1] == '\n';
    at_ += crlf ? 2 : 1;
  }
  std::size_t left() const { return bytes_.size() - std::min(at_, bytes_.size()); }
  int byte() { return bytes_[at_++]; }

 private:
  void skipBlank() {
    while (at_ < bytes_.size() && (isSpace(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n' && bytes_[at_] != '\r') ++at_;
      } else {
        ++at_;
      }
    }
  }

  const Bytes& bytes_;
  const std::string& name_;
  std::size_t at_ = 2;
};

}  // namespace

Image decodePnm(const Bytes& bytes, const std::string& name) {
  const int kind = bytes[1] - '0';
  const bool text = kind <= 3;
  const bool bitmap = kind == 1 || kind == 4;
  const int channels = kind == 3 || kind == 6 ? 3 : 1;
  Reader reader(bytes, name);
  const int width = reader.number();
  const int height = reader.number();
  checkSize(width, height, 0, name);
  const int largest = bitmap ? 1 : reader.number();
  if (largest < 1 || largest > 65535) {
    throwDamaged(name, "PPM", fmt::format("its largest value is {}, not 1 to 65535", largest));
  }
  const std::size_t samples = static_cast<std::size_t>(width) * channels;
  const std::size_t rowBytes = bitmap ? (samples + 7) / 8 : samples * (largest > 255 ? 2U : 1U);
  // Also before memory is taken for the pixels: as text, each sample takes at least one byte.
  const std::size_t needed = (text ? samples : rowBytes) * static_cast<std::size_t>(height);
  reader.skipToSamples(needed);
  if (reader.left() < needed) throwTruncated(name, "PPM");

  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  for (int y = 0; y < height; ++y) {
    int packed = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      int value = 0;
      if (bitmap) {
        if (!text && i % 8 == 0) packed = reader.byte();
        value = 1 - (text ? reader.bit() : packed >> (7 - i % 8) & 1);
      } else if (text) {
        value = reader.number();
        if (value > largest) {
          throwDamaged(name, "PPM",
                       fmt::format("a sample is {}, the largest is {}", value, largest));
        }
      } else {
        value = reader.byte();
        if (largest > 255) value = value << 8 | reader.byte();
      }
      value = (std::min(value, largest) * 255 + largest / 2) / largest;
      std::uint8_t* pixel = image.at(static_cast<int>(i) / channels, y);
      if (channels == 3) {
        pixel[i % 3] = static_cast<std::uint8_t>(value);
      } else {
        std::fill_n(pixel, 3, static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

}  // namespace adamerge::imaging
