// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/lenses.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "adamerge/error.h"

namespace adamerge::ui {
namespace {

std::string lensKey(int pane) { return "lens " + std::to_string(pane); }
std::string restKey(int pane) { return "lens rest " + std::to_string(pane); }

std::optional<int> within(std::optional<int> patch, const VitConfig& vit) {
  return patch && *patch < vit.patchTokens() ? patch : std::nullopt;
}

/// What a trace holds of it: the class token's attention, or nothing.
LensShownPtr recordedLens(const InspectionPtr& inspection, OverlayKind kind,
                          const LensQuery& query) {
  LensQuery recorded;
  recorded.token = {false, 0};
  if (query != recorded) return nullptr;
  auto shown = std::make_shared<LensShown>();
  shown->inspection = inspection;
  shown->kind = kind;
  shown->query = query;
  shown->pictures = recordedAttention(inspection->result);
  shown->problems.resize(inspection->result.layers.size());
  return shown->pictures == nullptr ? nullptr : shown;
}

}  // namespace

/// One question to one pane. Its results are touched on the worker's thread alone.
struct Lenses::Request {
  InspectionPtr inspection;
  InspectionPtr other;  ///< the run compared with; nullptr: the unmerged one
  OverlayKind kind = OverlayKind::kNone;
  LensQuery query;
  int block = 0;

  LensPictures pictures;
  std::vector<QString> problems;
  std::vector<int> missing;  ///< blocks, the next one last

  LensShownPtr shown() const {
    auto shown = std::make_shared<LensShown>();
    shown->inspection = inspection;
    shown->kind = kind;
    shown->query = query;
    shown->pictures = std::make_shared<const LensPictures>(pictures);
    shown->problems = problems;
    return shown;
  }
};

std::optional<LensQuery> lensQuery(const ViewState& view, const VitConfig& vit) {
  const OverlayStyle& style = view.overlay();
  const std::optional<LensKind> lens = lensOf(style.kind);
  if (!lens) return std::nullopt;
  LensQuery query;
  query.kind = *lens;
  query.head = std::min(style.head, vit.heads * vit.branches - 1);
  query.looked_at = style.looked_at;
  query.foreground = style.foreground;
  query.from_other = style.from_other;
  const std::optional<int> selected = within(view.selectedPatch(), vit);
  const std::optional<int> hovered = within(view.hoveredPatch(), vit);
  if (*lens == LensKind::kSimilarity) {
    const std::optional<int> patch = hovered ? hovered : selected;
    if (!patch) return std::nullopt;
    query.token = {true, *patch};
  } else if (*lens == LensKind::kAttention) {
    if (!selected && style.prefix_token >= vit.prefixTokens()) return std::nullopt;
    query.token = selected ? LensToken{true, *selected} : LensToken{false, style.prefix_token};
  }
  return query;
}

Lenses::Lenses(std::shared_ptr<Worker> worker, std::shared_ptr<PictureInputs> inputs,
               const Panes& panes, const ViewState& view)
    : panes_(panes), view_(view), inputs_(std::move(inputs)), jobs_(this, std::move(worker)) {
  for (const auto& pane : panes_) {
    connect(pane.get(), &Pane::inspectionChanged, this, [this, changed = pane.get()] {
      // A change from another canvas's run is that canvas's as well.
      view_.overlay().from_other ? showAll() : show(*changed);
    });
  }
  connect(&view_, &ViewState::overlayChanged, this, &Lenses::showAll);
  connect(&view_, &ViewState::blockChanged, this, &Lenses::showAll);
  connect(&view_, &ViewState::selectionChanged, this, &Lenses::showAll);
  connect(&view_, &ViewState::hoverChanged, this, [this] {
    if (view_.overlay().kind == OverlayKind::kSimilarity) showAll();
  });
}

void Lenses::setShown(int count) {
  shown_ = count;
  showAll();
}

void Lenses::showAll() {
  for (int index = 0; index < shown_; ++index) show(*panes_[static_cast<std::size_t>(index)]);
}

void Lenses::show(Pane& pane) {
  const std::size_t beside = pane.index() == 0 ? 1 : 0;
  const Pane* other = static_cast<int>(beside) < shown_ ? panes_[beside].get() : nullptr;
  const InspectionPtr inspection = pane.inspection();
  const std::optional<LensQuery> query =
      inspection == nullptr || engine_ == nullptr || inspection->depth() == 0
          ? std::nullopt
          : lensQuery(view_, inspection->model->info.vit);
  if (!query) {
    jobs_.cancel(lensKey(pane.index()));
    jobs_.cancel(restKey(pane.index()));
    // The pointer left the picture: what it was at stays while the overlay does.
    const bool keep = pane.lens() != nullptr && pane.lens()->kind == view_.overlay().kind &&
                      pane.lens()->inspection == inspection &&
                      view_.overlay().kind == OverlayKind::kSimilarity;
    if (!keep) pane.setLens(nullptr);
    return;
  }
  if (inspection->traced != nullptr) {
    jobs_.cancel(lensKey(pane.index()));
    jobs_.cancel(restKey(pane.index()));
    pane.setLens(recordedLens(inspection, view_.overlay().kind, *query));
    return;
  }
  auto request = std::make_shared<Request>();
  request->inspection = inspection;
  if (query->from_other && other != nullptr && other->inspection() != nullptr &&
      other->inspection()->picture == inspection->picture &&
      other->inspection()->model == inspection->model) {
    request->other = other->inspection();
  }
  request->kind = view_.overlay().kind;
  request->query = *query;
  request->query.from_other = request->other != nullptr;
  request->block = std::clamp(view_.block(), 0, inspection->depth() - 1);
  const LensShownPtr now = pane.lens();
  const bool heads = query->kind == LensKind::kAttention;
  const bool there = now != nullptr && now->inspection == inspection && request->other == nullptr &&
                     now->kind == request->kind && now->query == request->query &&
                     now->map(*inspection, request->kind, request->block) != nullptr;
  if (there && (!heads || now->pictures->heads_block == request->block)) return;
  request->pictures.blocks.resize(static_cast<std::size_t>(inspection->depth()));
  request->problems.resize(request->pictures.blocks.size());
  request->missing.resize(request->pictures.blocks.size());
  std::iota(request->missing.begin(), request->missing.end(), 0);
  std::stable_sort(
      request->missing.begin(), request->missing.end(),
      [block = request->block](int a, int b) { return std::abs(a - block) > std::abs(b - block); });
  if (isOfAllBlocks(query->kind)) request->missing = {request->block};
  jobs_.cancel(restKey(pane.index()));
  start(pane, request, /*first=*/true);
}

void Lenses::start(Pane& pane, const std::shared_ptr<Request>& request, bool first) {
  jobs_.run(
      first ? lensKey(pane.index()) : restKey(pane.index()),
      first ? Urgency::kInteractive : Urgency::kFollowUp,
      [this, &pane, request, first, engine = engine_, inputs = inputs_](const std::stop_token& stop,
                                                                        const Jobs::Tell& tell) {
        const Inspection& shown = *request->inspection;
        const auto recordingOf = [&](const MethodChoice& choice) {
          return inputs->recording(*engine, *shown.model, *shown.picture, choice, stop);
        };
        const auto run = recordingOf(shown.choice);
        const auto compared =
            recordingOf(request->other == nullptr ? MethodChoice{} : request->other->choice);
        // Of the first job the chosen block alone; what an interruption leaves goes on.
        while (!request->missing.empty()) {
          throwIfStopped(stop);
          const int block = request->missing.back();
          LensPictures next = request->pictures;
          try {
            addLensBlock(next, *run, compared.get(), block, request->query, stop);
            if (!first) {  // the heads shown are those of the chosen block
              next.heads = request->pictures.heads;
              next.entropy = request->pictures.entropy;
              next.heads_block = request->pictures.heads_block;
              next.heads_subject = request->pictures.heads_subject;
            }
            request->pictures = std::move(next);
          } catch (const Error& error) {
            request->problems[static_cast<std::size_t>(block)] = errorText(error);
          }
          request->missing.pop_back();
          if (first) break;
        }
        const bool more = first && !request->missing.empty();
        tell([this, &pane, request, more, result = request->shown()] {
          if (pane.inspection() == nullptr ||
              pane.inspection()->picture != result->inspection->picture) {
            return;
          }
          pane.setLens(result);
          if (more) start(pane, request, /*first=*/false);
        });
      },
      [this](const QString& message) { emit failed(message); });
}

}  // namespace adamerge::ui
