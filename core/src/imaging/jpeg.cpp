// SPDX-License-Identifier: GPL-3.0-or-later
// jpeglib.h needs cstdio first and jerror.h needs jpeglib.h.
// clang-format off
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/decoders.h"

namespace adamerge::imaging {
namespace {

struct ErrorState {
  jpeg_error_mgr manager;  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump;
  bool ended;    ///< the file ended before its end marker: all pixels may still be there
  bool missing;  ///< coded pixels are missing
  bool scans;    ///< there are too many scans
};

ErrorState& stateOf(j_common_ptr info) { return *reinterpret_cast<ErrorState*>(info->err); }

void leave(j_common_ptr info) { std::longjmp(stateOf(info).jump, 1); }

void note(j_common_ptr info, int level) {
  if (level >= 0) return;
  if (info->err->msg_code == JWRN_JPEG_EOF) stateOf(info).ended = true;
  if (info->err->msg_code != JWRN_HIT_MARKER) return;
  // Nothing more to see, and a file of empty scans would take minutes.
  stateOf(info).missing = true;
  leave(info);
}

/// Each scan walks over all blocks of the picture, however few bytes it has.
void limitScans(j_common_ptr common) {
  constexpr std::int64_t kMostScans = 500;
  constexpr std::int64_t kMostPixels = 6'000'000'000;
  const auto& info = *reinterpret_cast<j_decompress_ptr>(common);
  const std::int64_t pixels = std::int64_t{info.image_width} * info.image_height;
  if (info.input_scan_number <= kMostScans && info.input_scan_number * pixels <= kMostPixels) {
    return;
  }
  stateOf(common).scans = true;
  leave(common);
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
    jpeg_create_decompress(&info_);
    progress_.progress_monitor = limitScans;
    info_.progress = &progress_;
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
  const ErrorState& state() const { return state_; }
  std::string message() {
    std::array<char, JMSG_LENGTH_MAX> text{};
    state_.manager.format_message(reinterpret_cast<j_common_ptr>(&info_), text.data());
    return text.data();
  }

 private:
  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  ErrorState state_{};
};

[[noreturn]] void fail(Decompressor& jpeg, const std::string& name) {
  const ErrorState& state = jpeg.state();
  if (state.scans) throwDamaged(name, "JPEG", "it has more scans than any program writes");
  const int code = state.manager.msg_code;
  // Also the files with such a frame that this libjpeg does not read.
  if (code == JERR_BAD_PRECISION) {
    throwUnsupported(name, fmt::format("JPEG with {} bits per colour", jpeg.info().data_precision),
                     "one with 8 bits");
  }
  if (code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL) {
    throwUnsupported(name, "lossless, hierarchical or arithmetic-coded JPEG",
                     "an ordinary or progressive JPEG");
  }
  // With its input at an end, libjpeg inserts an end marker and stumbles over that.
  const bool early = code == JERR_NO_IMAGE || code == JERR_INPUT_EMPTY || code == JERR_INPUT_EOF;
  if (state.missing || state.ended || early) throwTruncated(name, "JPEG");
  throwDamaged(name, "JPEG", jpeg.message());
}

/// What libjpeg keeps of a picture of several scans until the last is read, in bytes per pixel.
std::int64_t coefficientBytes(jpeg_decompress_struct& info) {
  if (!jpeg_has_multiple_scans(&info)) return 0;
  double bytes = 0;
  for (int i = 0; i < info.num_components; ++i) {
    const jpeg_component_info& component = info.comp_info[i];
    bytes +=
        sizeof(JCOEF) * (static_cast<double>(component.h_samp_factor) / info.max_h_samp_factor *
                         component.v_samp_factor / info.max_v_samp_factor);
  }
  return static_cast<std::int64_t>(std::ceil(bytes));
}

/// Whether a file that ends without its end marker holds every bit of every coefficient.
bool complete(const jpeg_decompress_struct& info) {
  if (info.coef_bits == nullptr) return false;
  for (int i = 0; i < info.num_components; ++i) {
    const int* bits = info.coef_bits[i];
    if (std::any_of(bits, bits + DCTSIZE2, [](int missing) { return missing != 0; })) return false;
  }
  return true;
}

/// A download that broke off in a file of the full length: the last pixels were made of zeros. Only
/// asked where no end marker follows the pixels.
bool endsInZeros(const jpeg_decompress_struct& info, bool ended, const Bytes& bytes) {
  constexpr std::ptrdiff_t kZeros = 16;
  const std::uint8_t* end = ended ? bytes.data() + bytes.size()
                                  : static_cast<const std::uint8_t*>(info.src->next_input_byte);
  return end - bytes.data() >= kZeros &&
         std::all_of(end - kZeros, end, [](std::uint8_t value) { return value == 0; });
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
  const bool several = jpeg_has_multiple_scans(&jpeg.info()) != 0;
  checkSize(width, height, coefficientBytes(jpeg.info()), name);
  const bool cmyk = header.num_components == 4;
  // Of several scans all are read here; memory for the pixels only where that went well.
  done = jpeg.run([cmyk](jpeg_decompress_struct& info) {
    info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
  });
  if (!done) fail(jpeg, name);
  if (several && jpeg.state().ended && !complete(jpeg.info())) throwTruncated(name, "JPEG");

  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  Bytes row(cmyk ? static_cast<std::size_t>(width) * 4 : 0);
  done = jpeg.run([&](jpeg_decompress_struct& info) {
    while (info.output_scanline < info.output_height) {
      std::uint8_t* out = image.at(0, static_cast<int>(info.output_scanline));
      JSAMPROW target = cmyk ? row.data() : out;
      jpeg_read_scanlines(&info, &target, 1);
      if (cmyk) cmykToRgb(row.data(), width, out);
    }
  });
  if (!done) fail(jpeg, name);
  // What follows the pixels of a single scan (a video, a second picture, no end marker) is of no
  // interest.
  if (!several && jpeg.info().unread_marker != JPEG_EOI &&
      endsInZeros(jpeg.info(), jpeg.state().ended, bytes)) {
    throwTruncated(name, "JPEG");
  }
  return image;
}

}  // namespace adamerge::imaging
