// SPDX-License-Identifier: GPL-3.0-or-later
// jpeglib.h needs cstdio first and jerror.h needs jpeglib.h.
// clang-format off
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <array>

#include "imaging/decoders.h"

namespace adamerge::imaging {
namespace {

struct ErrorState {
  jpeg_error_mgr manager;  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump;
  bool truncated;
};

ErrorState& stateOf(j_common_ptr info) { return *reinterpret_cast<ErrorState*>(info->err); }

void leave(j_common_ptr info) { std::longjmp(stateOf(info).jump, 1); }

void note(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) {
    stateOf(info).truncated = true;
  }
}

void keepQuiet(j_common_ptr) {}

std::uint8_t multiply(int a, int b) {
  const int product = a * b + 128;
  return static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
}

/// As Adobe's programs write them and everybody assumes, marker or not: 255 means no ink.
void cmykToRgb(const std::uint8_t* row, int width, std::uint8_t* out) {
  for (int x = 0; x < width; ++x, row += 4, out += 3) {
    for (int c = 0; c < 3; ++c) out[c] = multiply(row[c], row[3]);
  }
}

/// Owns the decompressor. Everything libjpeg does with it runs below setjmp in `run`, where no
/// object with a destructor lives, since longjmp would skip it.
class Decompressor {
 public:
  Decompressor() {
    info_.err = jpeg_std_error(&state_.manager);
    state_.manager.error_exit = leave;
    state_.manager.emit_message = note;
    state_.manager.output_message = keepQuiet;
    state_.truncated = false;
    jpeg_create_decompress(&info_);
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info_); }

  /// False where libjpeg gave up.
  template <typename Step>
  bool run(Step step) {
    if (setjmp(state_.jump) != 0) return false;
    step(info_);
    return true;
  }
  jpeg_decompress_struct& info() { return info_; }
  bool truncated() const { return state_.truncated; }
  std::string message() {
    std::array<char, JMSG_LENGTH_MAX> text{};
    state_.manager.format_message(reinterpret_cast<j_common_ptr>(&info_), text.data());
    return text.data();
  }
  int code() const { return state_.manager.msg_code; }

 private:
  jpeg_decompress_struct info_{};
  ErrorState state_{};
};

[[noreturn]] void fail(Decompressor& jpeg, const std::string& name) {
  // With its input at an end, libjpeg inserts an end marker and stumbles over that.
  const bool early = jpeg.code() == JERR_NO_IMAGE || jpeg.code() == JERR_INPUT_EMPTY ||
                     jpeg.code() == JERR_INPUT_EOF;
  if (jpeg.truncated() || early) throwTruncated(name, "JPEG");
  throwDamaged(name, "JPEG", jpeg.message());
}

}  // namespace

Image decodeJpeg(const Bytes& bytes, const std::string& name) {
  Decompressor jpeg;
  bool done = jpeg.run([&bytes](jpeg_decompress_struct& info) {
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
  });
  if (!done) fail(jpeg, name);

  const jpeg_decompress_struct& header = jpeg.info();
  const auto width = static_cast<int>(header.image_width);
  const auto height = static_cast<int>(header.image_height);
  checkSize(width, height, name);
  const bool cmyk = header.num_components == 4;
  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  Bytes row(cmyk ? static_cast<std::size_t>(width) * 4 : 0);
  done = jpeg.run([&](jpeg_decompress_struct& info) {
    info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      std::uint8_t* out = image.at(0, static_cast<int>(info.output_scanline));
      JSAMPROW target = cmyk ? row.data() : out;
      jpeg_read_scanlines(&info, &target, 1);
      if (cmyk) cmykToRgb(row.data(), width, out);
    }
    jpeg_finish_decompress(&info);
  });
  if (!done) fail(jpeg, name);
  if (jpeg.truncated()) throwTruncated(name, "JPEG");
  return image;
}

}  // namespace adamerge::imaging
