// SPDX-License-Identifier: GPL-3.0-or-later
// Frames of a video file or a camera, through OpenCV; used on one thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "adamerge/image.h"

namespace adamerge::ui {

class FrameReader {
 public:
  /// Throws Error: no such file or camera, no codec for it.
  static FrameReader openFile(const std::filesystem::path& path);
  static FrameReader openCamera(int index);
  FrameReader(FrameReader&&) noexcept;
  ~FrameReader();

  int frameCount() const;  ///< 0: unknown
  double rate() const;     ///< frames per second; 25 where the source does not tell

  /// Fetches the next frame without converting it; false: there is none.
  bool grab();
  /// The frame fetched last, or nothing where it cannot be decoded.
  std::optional<Image> decode();
  /// grab() fetches `frame` next; false: the source cannot.
  bool seek(int frame);

 private:
  struct Capture;
  explicit FrameReader(std::unique_ptr<Capture> capture);
  std::unique_ptr<Capture> capture_;
};

}  // namespace adamerge::ui
