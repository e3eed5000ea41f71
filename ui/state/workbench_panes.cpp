// SPDX-License-Identifier: GPL-3.0-or-later
// The panes' methods and settings: edits with history, their number, equal FLOPs.
#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "compute/choice_family.h"
#include "compute/error_text.h"
#include "state/choice_command.h"
#include "state/workbench.h"

namespace adamerge::ui {
namespace {

/// What the panes show when they first appear, as far as no other pane shows it.
constexpr std::array<const char*, 4> kFirstMethods{"adamerge", "tome", "pitome", "dsm"};

}  // namespace

MethodChoice Workbench::firstChoice(int index) const {
  for (std::size_t i = 0; i < kFirstMethods.size(); ++i) {
    const std::string id =
        kFirstMethods[(i + static_cast<std::size_t>(index)) % kFirstMethods.size()];
    const bool used = std::any_of(panes_.begin(), panes_.begin() + index,
                                  [&](const auto& pane) { return pane->choice().method == id; });
    if (!used) return {id, {}, nullptr, false};
  }
  return {kFirstMethods[static_cast<std::size_t>(index)], {}, nullptr, false};
}

MethodChoice Workbench::fitted(const MethodChoice& choice) const {
  MethodChoice result = choice;
  result.settings = completeSettings(choice);
  if (model_ == nullptr) return result;
  const VitConfig& vit = model_->info.vit;
  for (const CompressionKnob& knob : findMethod(choice.method).compression) {
    auto& value = std::get<std::int64_t>(result.settings[knob.key]);
    value = std::min(value, static_cast<std::int64_t>(knob.limit * vit.patchTokens()));
  }
  if (result.statistics != nullptr && result.statistics->depth != vit.depth) {
    result.statistics.reset();
  }
  return result;
}

std::optional<MethodChoice> Workbench::checked(const MethodChoice& choice) {
  try {
    const MethodChoice result = fitted(choice);
    if (const auto present = engine()) present->prepare(result);
    return result;
  } catch (const Error& error) {
    emit failed(errorText(error));
    return std::nullopt;
  }
}

void Workbench::edit(int index, const MethodChoice& choice, const QString& what,
                     const QString& key) {
  const auto wanted = checked(choice);
  if (!wanted || sameChoice(*wanted, pane(index).choice())) return;
  history_.push(new ChoiceCommand(
      [this](int changed, const MethodChoice& to) {
        unmatched_.erase(changed);
        apply(changed, fitted(to), Urgency::kInteractive);
        follow(changed);
      },
      index, pane(index).choice(), *wanted, what, key, edit_session_));
}

void Workbench::endEdit() { ++edit_session_; }

void Workbench::restoreChoice(int index, const MethodChoice& choice) {
  const auto wanted = checked(choice);
  if (!wanted) return;
  shown_before_.insert(index);
  unmatched_.erase(index);
  apply(index, *wanted, Urgency::kInteractive);
  follow(index);
}

void Workbench::setCompression(int index, int value) {
  const SettingInfo* setting = pane(index).compressionSetting();
  if (setting == nullptr || follows(index)) return;
  const double most = model_ != nullptr ? pane(index).compressionLimit(model_->info.vit)
                                        : setting->maximum.value_or(value);
  const int bounded = std::clamp(value, static_cast<int>(setting->minimum.value_or(0)),
                                 std::max(0, static_cast<int>(most)));
  edit(index, withCompression(pane(index).choice(), bounded), tr("compression"),
       QStringLiteral("compression"));
}

void Workbench::setTargetFlops(int index, double target) {
  if (follows(index)) return;
  matcher_->match(pane(index), picture_, target, FlopsMatcher::Purpose::kUser);
}

void Workbench::apply(int index, const MethodChoice& choice, Urgency urgency) {
  Pane& changed = pane(index);
  if (sameChoice(choice, changed.choice())) return;
  matcher_->forget(index);
  changed.setChoice(choice);
  request(changed, urgency);
}

std::vector<MethodChoice> Workbench::shownChoices() const {
  std::vector<MethodChoice> choices;
  for (int index = 0; index < pane_count_; ++index) {
    choices.push_back(panes_[static_cast<std::size_t>(index)]->choice());
  }
  return choices;
}

void Workbench::setPaneCount(int count) {
  const int wanted = count >= 4 ? 4 : std::clamp(count, 1, 2);
  if (wanted == pane_count_) return;
  const int before = std::exchange(pane_count_, wanted);
  for (int index = wanted; index < before; ++index) release(pane(index));
  for (int index = before; index < wanted; ++index) {
    if (!shown_before_.insert(index).second) continue;
    pane(index).setChoice(fitted(firstChoice(index)));
    unmatched_.insert(index);
  }
  if (active_ >= wanted) setActivePane(0);
  emit paneCountChanged(wanted);
  for (int index = before; index < wanted; ++index) {
    request(pane(index), Urgency::kFollowUp);
    follow(index);
  }
}

void Workbench::setActivePane(int index) {
  if (index == active_ || index < 0 || index >= pane_count_) return;
  active_ = index;
  emit activePaneChanged(index);
}

void Workbench::setEqualFlops(bool on) {
  if (on == equal_flops_) return;
  equal_flops_ = on;
  emit equalFlopsChanged(on);
  for (int index = 1; index < pane_count_; ++index) follow(index);
}

void Workbench::follow(int index) {
  if (index == 0 || index >= pane_count_ || !(equal_flops_ || unmatched_.contains(index))) return;
  const InspectionPtr first = pane(0).inspection();
  if (first == nullptr || first->model != model_ || first->picture != picture_) return;
  matcher_->match(pane(index), picture_, first->result.flops.paper, FlopsMatcher::Purpose::kFollow);
}

}  // namespace adamerge::ui
