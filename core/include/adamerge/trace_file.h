// SPDX-License-Identifier: GPL-3.0-or-later
// Traces as files (`.adamerge-trace`, docs/traces.md): which patches were one token after every
// block, on any model under any method, as one safetensors file that other programs write and read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/image.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

inline constexpr std::string_view kTraceExtension = ".adamerge-trace";

/// By its name, in any case.
bool isTraceName(const std::filesystem::path& path);

/// What holds for the whole file. `has_...`: the file has such a tensor, in a block at least.
struct TraceInfo {
  std::filesystem::path file;
  std::string model;
  std::string method;
  std::string settings_json = "{}";
  /// Name and value as a person writes it, in the file's order.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string producer;
  int grid_height = 0;
  int grid_width = 0;
  int prefix_tokens = 0;
  int depth = 0;
  std::vector<std::string> images;   ///< names; of those without a stored picture, paths
  std::vector<std::string> classes;  ///< one per logit; "class 17" where the file names none
  double rate = 0;                   ///< of a video, frames per second; 0: no video
  bool has_survivors = false;
  bool has_salience = false;
  bool has_attention = false;
  bool has_logits = false;
  bool has_baseline_logits = false;
  bool has_flops = false;
  bool has_baseline_flops = false;
  std::vector<std::string> notes;  ///< what was passed over, in sentences

  int patches() const { return grid_height * grid_width; }
};

/// "ToMe, r 8": the method with its settings.
std::string describe(const TraceInfo& info);

/// As far as a trace says: name, grid, depth, prefix tokens, classes. Widths are not known.
ModelInfo modelOf(const TraceInfo& info);

/// One image of a trace.
struct TracedImage {
  std::string name;
  std::optional<Image> view;  ///< as the network saw it; nullopt: the name is a path
  /// Layers with groups, numbered anew as in LayerTrace, and what else the file has. Merges and
  /// drops follow from the groups where each block's join those of the block before; else every
  /// block is `restored`. A group's token is named by `survivors`, without them by its first patch.
  ImageResult result;
  ImageResult baseline;  ///< logits and FLOPs of the unmerged model; no layers
};

/// An opened file. Tensors are read image by image, so a file of any size may be opened; one that
/// is replaced meanwhile stays readable. Threads may share it.
class TraceFile {
 public:
  /// Everything but the tensors' numbers is checked. Throws Error: missing, not this format or
  /// version, cut short, a block missing, a tensor of another type or shape than the others say.
  explicit TraceFile(const std::filesystem::path& path);

  const TraceInfo& info() const { return *info_; }
  std::shared_ptr<const TraceInfo> sharedInfo() const { return info_; }
  /// Throws Error: groups that the grid does not have, survivors of other groups, not-a-number, a
  /// file that became shorter.
  TracedImage read(std::size_t image) const;

 private:
  struct Content;
  std::shared_ptr<const TraceInfo> info_;
  std::shared_ptr<const Content> content_;
};

/// A traced image's picture, for figures.
struct TracedPicture {
  std::shared_ptr<const Image> original;
  Image view;
  Rectangle crop;    ///< of the original, that the grid lies over
  std::string note;  ///< what was assumed; empty: nothing
};
/// The stored picture, or the file that the image's name is the path of (from the trace's folder):
/// of that the largest part in the middle that has the grid's shape. Throws Error.
TracedPicture pictureOf(const TraceInfo& info, const TracedImage& image);

struct TraceReport {
  std::shared_ptr<const TraceInfo> info;
  TracedImage image;
};
/// As `inspect --json` writes it; null stands for what a trace does not hold.
std::string traceJson(std::span<const TraceReport> reports, bool as_array);

/// What a figure of a trace carries, as provenanceJson() of a run: one line of JSON, ASCII only,
/// {"format":1,"program":"AdaMerge Studio","trace":"/a/run.adamerge-trace","producer":...,
/// "model":...,"image":...,"method":...,"settings":{...},"block":6}. `layer` as there.
std::string provenanceJson(const TraceInfo& info, std::string_view image, int layer);
/// What a figure shows of a trace.
struct TracedFigure {
  std::filesystem::path trace;
  std::string image;  ///< its name
  int layer = -1;     ///< 0-based; -1: no single block
};
/// By a figure's provenance, of a comparison the first; nullopt: it shows no trace.
std::optional<TracedFigure> tracedBy(std::string_view provenance);
/// The trace where it was, or else beside the figure: both may have been moved. nullopt: neither is
/// there.
std::optional<std::filesystem::path> findTrace(const TracedFigure& shown,
                                               const std::filesystem::path& figure);

/// One image to be written: all of one model and method, traced.
struct TraceRecord {
  std::string name;
  const Image* view = nullptr;  ///< nullptr: the name is a path
  const ImageResult* result = nullptr;
  const ImageResult* baseline = nullptr;
};
/// Written beside, then renamed. Throws Error: no permission, full disk, a result without trace.
void writeTrace(const std::filesystem::path& path, const ModelInfo& model,
                const MethodChoice& choice, std::span<const TraceRecord> records,
                std::string_view producer);

}  // namespace adamerge
