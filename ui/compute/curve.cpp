// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/curve.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "compute/choice_family.h"

namespace adamerge::ui {

std::vector<int> coarseToFine(int limit) {
  std::vector<int> order{0};
  if (limit > 0) order.push_back(limit);
  const int bits = std::bit_width(static_cast<unsigned>(std::max(limit, 0)));
  for (int counter = 1; counter < 1 << bits; ++counter) {
    int value = 0;
    for (int bit = 0; bit < bits; ++bit) value |= (counter >> bit & 1) << (bits - 1 - bit);
    if (value < limit) order.push_back(value);
  }
  return order;
}

Curve::Curve(PicturePtr picture, const MethodChoice& choice, const VitConfig& vit)
    : picture_(std::move(picture)) {
  sweep_.choice = choice;
  sweep_.limit = static_cast<int>(std::floor(compressionKnob(choice)->limit * vit.patchTokens()));
  order_ = coarseToFine(sweep_.limit);
}

bool Curve::covers(const Picture& picture, const MethodChoice& choice) const {
  return picture_->id == picture.id && sameButCompression(sweep_.choice, choice);
}

std::optional<MethodChoice> Curve::next() const {
  if (failed_ || sweep_.complete) return std::nullopt;
  return withCompression(sweep_.choice, order_[next_]);
}

void Curve::add(const SweepPoint& point) {
  if (sweep_.complete || point.value != order_[next_]) return;
  const auto after =
      std::upper_bound(sweep_.points.begin(), sweep_.points.end(), point.value,
                       [](int value, const SweepPoint& other) { return value < other.value; });
  sweep_.points.insert(after, point);
  sweep_.complete = ++next_ == order_.size();
  shared_.reset();
}

SweepPtr Curve::sweep() const {
  if (shared_ == nullptr) shared_ = std::make_shared<const Sweep>(sweep_);
  return shared_;
}

}  // namespace adamerge::ui
