// SPDX-License-Identifier: GPL-3.0-or-later
// Results as JSON: the contract scripts rely on (docs/command-line.md), and what a figure was
// made with, as it is written into the figure's file.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/calibrate.h"
#include "adamerge/engine.h"
#include "adamerge/lenses.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"

namespace adamerge {

/// What the lenses tell of one block and token.
struct LensReport {
  int block = 0;
  std::optional<LensToken> token;  ///< nullopt: none was named and there is no class token
  int head = -1;
  LensMap looks;                   ///< where the token looks; NaN is null, empty is null
  LensMap looked_at;               ///< who looks at it
  std::optional<double> received;  ///< nullopt: attention in windows does not tell
  std::vector<float> entropy;      ///< per head
  Rollout rollout;
  LensMap similarity;  ///< of patches alone
  LensMap norm;
  LensMap change;
};
/// `token`: as LensReport's. Throws what lensMap() throws, but a dropped patch has no attention.
LensReport lensReport(const Recording& run, const Recording& unmerged, int block,
                      const std::optional<LensToken>& token, int head,
                      const std::stop_token& stop = {});

/// Another method on the same image, and what that makes of it otherwise.
struct OtherRun {
  MethodChoice choice;
  ImageResult result;
  std::vector<FeatureChange> change;  ///< between the features of both, per block
};

/// One inspected image.
struct InspectReport {
  std::string image;     ///< as the user named it
  int image_height = 0;  ///< of the original, after EXIF orientation
  int image_width = 0;
  std::vector<std::string> notes;  ///< on the image: Image::note
  Rectangle crop;
  MethodChoice choice;
  ImageResult result;
  ImageResult baseline;                    ///< the unmerged model on the same input
  std::vector<FeatureChange> change = {};  ///< from the unmerged run; empty: null in JSON
  std::optional<LensReport> lens = {};     ///< where the lenses were asked
  std::optional<OtherRun> against = {};    ///< where a second method was named
};

/// The settings that have an effect on such a network, defaults filled in.
Settings settingsInForce(const MethodChoice& choice, const VitConfig& vit);

/// "alpha 2", "partition sequential": the settings in force that differ from their defaults, but
/// for the count that the compression drives. `vit`: whose defaults; null: those of no model in
/// particular.
std::vector<std::string> changedSettings(const MethodChoice& choice,
                                         const VitConfig* vit = nullptr);
/// "AdaMerge, alpha 2": the method with these.
std::string describeFamily(const MethodChoice& choice, const VitConfig* vit = nullptr);

/// "AdaMerge, r_max 16, alpha 2": the method with what differs from its defaults, and its count.
std::string describe(const MethodChoice& choice);
/// The same with the defaults of a model.
std::string describe(const MethodChoice& choice, const VitConfig& vit);

/// The same as one line of JSON: what `inspect --json` has under "settings".
std::string settingsJson(const MethodChoice& choice, const VitConfig& vit);

/// One object, or with `as_array` an array of them. Valid UTF-8, finite numbers.
std::string inspectJson(const Engine& engine, std::span<const InspectReport> reports,
                        bool as_array);
std::string modelJson(const Engine& engine);
std::string scheduleJson(const Engine& engine, const MethodChoice& choice, double target,
                         const SchedulePoint& point);

/// One row per block: block (from 1), tokens_in, tokens_out, merged, redundancy, mu, sigma, z;
/// empty where a block has no such value. RFC 4180.
std::string traceCsv(const ImageResult& result);
/// One row per merge: block (from 1), source_group and destination_group as in GroupMerge, the
/// patch that stands for each (source_patch, destination_patch), similarity. RFC 4180. Throws Error
/// for a trace that contradicts itself.
std::string mergesCsv(const ImageResult& result);

/// For people: "Bicubic, shorter side to 248, centre crop 224 x 224".
std::string describe(const Preprocessing& preprocessing);

struct Provenance {
  std::string model;                   ///< its name
  std::filesystem::path model_source;  ///< folder or file
  std::string image;
  MethodChoice choice;  ///< settings complete; without statistics
  int layer = -1;       ///< 0-based; -1: the figure shows no single block
  std::string device;
  std::string dtype;
};

/// One line of JSON, ASCII only: {"format":1,"program":"AdaMerge
/// Studio","model":...,"block":6,...}. `layer` is 0-based, "block" counts from 1 and is null for
/// -1. Throws Error for settings the method does not take.
std::string provenanceJson(const ModelInfo& model, std::string_view device, std::string_view dtype,
                           std::string_view image, const MethodChoice& choice, int layer);

/// Reads what provenanceJson() wrote, or a comparison's list of it; one entry for each picture
/// compared. Throws Error: not this format, an unknown method, settings it does not take.
std::vector<Provenance> parseProvenance(std::string_view text);

}  // namespace adamerge
