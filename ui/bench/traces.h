// SPDX-License-Identifier: GPL-3.0-or-later
// Runs that were recorded elsewhere, shown as if they had been computed here.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/trace_file.h"
#include "bench/data.h"

namespace adamerge::ui {

/// One image of a trace.
struct TracedRun {
  std::shared_ptr<const TraceInfo> info;
  std::size_t index = 0;  ///< which image of it
  LoadedModelPtr model;   ///< as far as the trace says; other pictures of it have the same
  std::shared_ptr<const PreparedImage> prepared;  ///< without input
  /// The picture is what the network saw: a network of ours is shown all of it, unscaled where the
  /// size is its own.
  bool whole = true;
  TracedImage image;
  std::vector<std::vector<int>> survivors;
};

/// Image `index` of the trace, on any thread. Pictures of one file share their stream. Throws
/// Error.
PicturePtr openTracedPicture(const std::filesystem::path& path, std::size_t index);
/// The trace's run on `shown`, which has the same pixels as `traced`.
InspectionPtr inspectionOf(const PicturePtr& traced, const PicturePtr& shown);

/// "ToMe, r 8 · trace of vit_base".
std::string titleOf(const TraceInfo& info);
/// "ToMe, r 8": of a trace with its model.
std::string runTitle(const Inspection& inspection);
/// 0.873; what a trace does not hold is a dash.
QString similarityText(float similarity);

/// A trace's images as frames of a video; each is read as the file is then.
class TraceFrames {
 public:
  explicit TraceFrames(const std::filesystem::path& path)
      : path_(path), info_(TraceFile(path).sharedInfo()) {}

  int frameCount() const { return static_cast<int>(info_->images.size()); }
  /// Where the trace is no video, it is turned over slowly.
  double rate() const { return info_->rate > 0 ? info_->rate : 2; }
  bool isVideo() const { return info_->rate > 0; }
  bool grab();
  PicturePtr picture() const;
  bool seek(int frame);

 private:
  std::filesystem::path path_;
  std::shared_ptr<const TraceInfo> info_;
  int next_ = 0;
};

}  // namespace adamerge::ui
