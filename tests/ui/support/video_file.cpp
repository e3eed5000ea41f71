// SPDX-License-Identifier: GPL-3.0-or-later
#include "video_file.h"

#include <opencv2/videoio.hpp>

namespace adamerge::ui::test {

std::array<std::uint8_t, 3> videoPixel(int index, int x, int y) {
  if (x < kVideoWidth / 2) {
    return {static_cast<std::uint8_t>(20 + 5 * index), static_cast<std::uint8_t>(220 - 5 * index),
            90};
  }
  const auto ramp = static_cast<std::uint8_t>(60 + 2 * y);
  return {ramp, ramp, ramp};
}

bool writeVideo(const std::filesystem::path& path, int frames, double rate) {
  cv::VideoWriter writer(path.string(), cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), rate,
                         {kVideoWidth, kVideoHeight});
  if (!writer.isOpened()) return false;
  for (int index = 0; index < frames; ++index) {
    cv::Mat frame(kVideoHeight, kVideoWidth, CV_8UC3);
    for (int y = 0; y < kVideoHeight; ++y) {
      for (int x = 0; x < kVideoWidth; ++x) {
        const auto [red, green, blue] = videoPixel(index, x, y);
        frame.at<cv::Vec3b>(y, x) = {blue, green, red};
      }
    }
    writer.write(frame);
  }
  return true;
}

}  // namespace adamerge::ui::test
