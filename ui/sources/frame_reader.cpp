// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/frame_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <utility>

#include "adamerge/error.h"

namespace adamerge::ui {
namespace {

constexpr double kUsualRate = 25;

/// Errors are told in the window; OpenCV would add its own to the terminal.
void quietOpenCv() {
  static std::once_flag once;
  std::call_once(once,
                 [] { cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); });
}

}  // namespace

struct FrameReader::Capture {
  cv::VideoCapture video;
  cv::Mat frame;
};

FrameReader::FrameReader(std::unique_ptr<Capture> capture) : capture_(std::move(capture)) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

FrameReader FrameReader::openFile(const std::filesystem::path& path) {
  quietOpenCv();
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    throw Error(fmt::format("{}: there is no such file; a video is expected", path.string()));
  }
  if (!std::filesystem::is_regular_file(path, code)) {
    throw Error(fmt::format("{}: is not a file; a video is expected", path.string()));
  }
  auto capture = std::make_unique<Capture>();
  if (!capture->video.open(path.string())) {
    throw Error(fmt::format(
        "{}: no video that can be read here; OpenCV knows no decoder for its format, or the file "
        "is damaged. An MP4 with H.264 or an AVI with MJPEG is expected",
        path.string()));
  }
  return FrameReader(std::move(capture));
}

FrameReader FrameReader::openCamera(int index) {
  quietOpenCv();
  auto capture = std::make_unique<Capture>();
  if (index < 0 || !capture->video.open(index)) {
    throw Error(fmt::format(
        "Camera {} cannot be opened: there is no camera of this number (the first is 0), another "
        "program uses it, or it may not be read (group video)",
        index));
  }
  // Else a slow model would be shown pictures of the past.
  capture->video.set(cv::CAP_PROP_BUFFERSIZE, 1);
  return FrameReader(std::move(capture));
}

int FrameReader::frameCount() const {
  const double count = capture_->video.get(cv::CAP_PROP_FRAME_COUNT);
  return std::isfinite(count) && count >= 1 && count < 1e9 ? static_cast<int>(count) : 0;
}

double FrameReader::rate() const {
  const double rate = capture_->video.get(cv::CAP_PROP_FPS);
  return std::isfinite(rate) && rate > 0.01 && rate <= 1000 ? rate : kUsualRate;
}

bool FrameReader::grab() { return capture_->video.grab(); }

std::optional<Image> FrameReader::decode() {
  if (!capture_->video.retrieve(capture_->frame) || capture_->frame.empty()) return std::nullopt;
  const cv::Mat& frame = capture_->frame;
  if (frame.depth() != CV_8U || (frame.channels() != 3 && frame.channels() != 1)) {
    return std::nullopt;
  }
  Image image{frame.cols, frame.rows, {}};
  image.pixels.resize(static_cast<std::size_t>(frame.cols) * frame.rows * 3);
  cv::Mat target(frame.rows, frame.cols, CV_8UC3, image.pixels.data());
  cv::cvtColor(frame, target, frame.channels() == 3 ? cv::COLOR_BGR2RGB : cv::COLOR_GRAY2RGB);
  return image;
}

bool FrameReader::seek(int frame) { return capture_->video.set(cv::CAP_PROP_POS_FRAMES, frame); }

}  // namespace adamerge::ui
