// SPDX-License-Identifier: GPL-3.0-or-later
#include "lens_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

struct PatchPlace {
  int column = 0;
  int row = 0;
};

/// "12,3"
PatchPlace parsePatch(const std::string& text) {
  PatchPlace place;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, place.column);
  if (error == std::errc() && rest != end && *rest == ',') {
    const auto second = std::from_chars(rest + 1, end, place.row);
    if (second.ec == std::errc() && second.ptr == end) return place;
  }
  throw UsageError(
      fmt::format("--patch takes column and row from the upper left, as 0,0, not '{}'", text));
}

bool needsAttention(LensKind lens) {
  return lens == LensKind::kAttention || lens == LensKind::kRollout;
}

}  // namespace

void LensOptions::addTo(CLI::App& command) {
  const std::string group = "Lenses";
  CLI::Option* patch =
      command.add_option("--patch", patch_,
                         "Patch whose token attention and similarity speak of, as column,row from "
                         "0,0 at the upper left (default: the class token)");
  takesText(*patch->group(group), "X,Y");
  CLI::Option* head = command.add_option(
      "--attention-head", head_, "Attention head, counted from 0 (default: the mean over all)");
  takesWholeNumber(*head->group(group), 0);
  command
      .add_flag("--looked-at", looked_at_,
                "Attention of all tokens to the chosen one, instead of where that one looks")
      ->group(group);
  takesText(*command
                 .add_option("--tensors", tensors_,
                             "Write attention, features, components, change and rollout raw, as "
                             "safetensors; one image, of --layer alone where it is given")
                 ->group(group),
            "FILE");
}

void LensOptions::check(std::size_t images) const {
  if (!patch_.empty()) parsePatch(patch_);
  if (tensors_.empty()) return;
  if (images > 1) {
    throw UsageError(
        fmt::format("--tensors writes one image's numbers; {} images are named", images));
  }
  if (tensors_ == "-") throw UsageError("--tensors writes a file; '-' is none");
  requireWritableFile(tensors_);
}

void LensOptions::check(const ModelInfo& model, const std::vector<std::string>& figures,
                        OverlayKind overlay, bool all) const {
  const VitConfig& vit = model.vit;
  if (!patch_.empty()) {
    const PatchPlace place = parsePatch(patch_);
    if (place.column < 0 || place.row < 0 || place.column >= vit.gridWidth() ||
        place.row >= vit.gridHeight()) {
      throw Error(
          fmt::format("--patch {} is outside the grid: {} has columns 0 to {} and rows 0 to {}",
                      patch_, model.name, vit.gridWidth() - 1, vit.gridHeight() - 1));
    }
  }
  if (head_ >= vit.heads * vit.branches) {
    throw Error(fmt::format("--attention-head {} is not there: a block of {} has heads 0 to {}",
                            head_, model.name, vit.heads * vit.branches - 1));
  }
  for (const std::string& figure : figures) {
    const std::optional<OverlayKind> content = figureContent(figure);
    // Of all figures those that cannot be shown are left out; an overlay was named.
    if (all && content) continue;
    const std::optional<LensKind> lens = lensOf(content.value_or(overlay));
    if (lens && vit.mixesByFourier() && needsAttention(*lens)) {
      throw Error(fmt::format(
          "{} mixes its tokens by a Fourier filter: it has no attention to show", model.name));
    }
    if (lens == LensKind::kRollout && vit.isWindowed()) {
      throw Error(
          fmt::format("{} attends inside windows, through which there is no rollout; attention is "
                      "shown of one patch in its window (--patch X,Y)",
                      model.name));
    }
    if (lens == LensKind::kClasses && vit.dense.classes == 0) {
      throw UsageError("class maps are those of a dense head: --dense-head names its file");
    }
    if (lens == LensKind::kAttention && !token(vit)) {
      throw Error(
          fmt::format("{} has no class token whose attention could be shown; --patch X,Y names "
                      "a patch's",
                      model.name));
    }
    if (lens == LensKind::kSimilarity && patch_.empty()) {
      throw UsageError("similarity is shown to one patch: --patch X,Y names it");
    }
  }
}

std::optional<LensToken> LensOptions::token(const VitConfig& vit) const {
  if (!patch_.empty()) {
    const PatchPlace place = parsePatch(patch_);
    return LensToken{true, place.row * vit.gridWidth() + place.column};
  }
  return vit.class_token ? std::optional(LensToken{}) : std::nullopt;
}

LensQuery LensOptions::query(LensKind kind, const VitConfig& vit) const {
  LensQuery query;
  query.kind = kind;
  query.token = token(vit).value_or(LensToken{});
  query.head = head_;
  query.looked_at = looked_at_;
  return query;
}

std::shared_ptr<const LensPictures> LensOptions::pictures(const std::string& kind,
                                                          OverlayKind content,
                                                          const InspectReport& report,
                                                          const VitConfig& vit, int block,
                                                          const std::stop_token& stop) const {
  const std::optional<LensKind> lens = lensOf(content);
  if (!lens || (vit.mixesByFourier() && needsAttention(*lens)) ||
      (vit.isWindowed() && *lens == LensKind::kRollout) ||
      (*lens == LensKind::kClasses && vit.dense.classes == 0) ||
      (*lens == LensKind::kAttention && !token(vit)) ||
      (*lens == LensKind::kSimilarity && patch_.empty())) {
    return nullptr;
  }
  LensQuery asked = query(*lens, vit);
  if (kind == "heads") asked.head = -1;
  asked.from_other = *lens == LensKind::kChange && report.against.has_value();
  const ImageResult& other = asked.from_other ? report.against->result : report.baseline;
  return lensPictures(*report.result.recording, other.recording.get(), kind == "strip" ? -1 : block,
                      asked, stop);
}

void LensOptions::writeTensors(const InspectReport& report, const ModelInfo& model,
                               const std::vector<int>& blocks, const std::stop_token& stop) const {
  if (tensors_.empty()) return;
  std::vector<int> chosen = blocks;
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  if (chosen.empty()) {
    chosen.resize(static_cast<std::size_t>(model.vit.depth));
    std::iota(chosen.begin(), chosen.end(), 0);
  }
  adamerge::writeTensors(
      tensors_, *report.result.recording, *report.baseline.recording, chosen,
      {report.choice.method, settingsJson(report.choice, model.vit), model.name, report.image},
      stop);
}

}  // namespace adamerge::cli
