// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/prompt_tool.h"

#include <QGuiApplication>
#include <QLineF>
#include <QObject>
#include <QPainter>
#include <QRectF>
#include <QStyleHints>
#include <algorithm>
#include <cmath>
#include <utility>

namespace adamerge::ui {
namespace {

constexpr double kReach = 6;  ///< logical pixels around a line or a dot
constexpr std::size_t kBox = 4;
constexpr std::size_t kPoint = 2;

std::int64_t whole(double value, double most) {
  return static_cast<std::int64_t>(std::clamp(value, 0.0, most));
}

using Numbers = std::vector<std::int64_t>;

QRectF boxAt(const Numbers& boxes, std::size_t first, const ViewMapping& mapping) {
  const auto corner = [&](std::size_t at) {
    return mapping.toWidget(
        QPointF(static_cast<double>(boxes[at]), static_cast<double>(boxes[at + 1])));
  };
  return {corner(first), corner(first + 2)};
}

/// A point means the middle of its pixel.
QPointF pointAt(const Numbers& points, std::size_t first, const ViewMapping& mapping) {
  return mapping.toWidget(QPointF(static_cast<double>(points[first]) + 0.5,
                                  static_cast<double>(points[first + 1]) + 0.5));
}

void erase(Numbers& numbers, std::size_t first, std::size_t count) {
  const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(first);
  numbers.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

std::optional<PromptEdit> withoutPromptAt(const QPointF& place, const Prompts& prompts,
                                          const ViewMapping& mapping) {
  PromptEdit edit{prompts, QObject::tr("prompt removed")};
  for (std::size_t end = prompts.points.size(); end >= kPoint; end -= kPoint) {
    if (QLineF(place, pointAt(prompts.points, end - kPoint, mapping)).length() > kReach) continue;
    erase(edit.prompts.points, end - kPoint, kPoint);
    return edit;
  }
  for (std::size_t end = prompts.boxes.size(); end >= kBox; end -= kBox) {
    const QRectF box = boxAt(prompts.boxes, end - kBox, mapping);
    const bool near = box.adjusted(-kReach, -kReach, kReach, kReach).contains(place);
    const bool within = box.adjusted(kReach, kReach, -kReach, -kReach).contains(place);
    if (!near || within) continue;
    erase(edit.prompts.boxes, end - kBox, kBox);
    return edit;
  }
  return std::nullopt;
}

void PromptTool::press(const QPointF& place) {
  begin_ = place;
  end_ = place;
}

void PromptTool::move(const QPointF& place) { end_ = place; }

bool PromptTool::isDrag() const {
  return (end_ - *begin_).manhattanLength() >= QGuiApplication::styleHints()->startDragDistance();
}

std::optional<PromptEdit> PromptTool::release(const QPointF& place, const Prompts& now,
                                              const ViewMapping& mapping, const QSizeF& picture) {
  if (!begin_) return std::nullopt;
  end_ = place;
  const bool drag = isDrag();
  const QPointF from = mapping.toPicture(*std::exchange(begin_, std::nullopt));
  const QPointF to = mapping.toPicture(place);
  const QRectF all({0, 0}, picture);
  PromptEdit edit{now, {}};
  if (!drag) {
    if (auto removed = withoutPromptAt(place, now, mapping)) return removed;
    if (to.x() < 0 || to.y() < 0 || to.x() >= all.width() || to.y() >= all.height()) {
      return std::nullopt;
    }
    edit.prompts.points.insert(edit.prompts.points.end(),
                               {whole(to.x(), all.width()), whole(to.y(), all.height())});
    edit.what = QObject::tr("prompt point");
    return edit;
  }
  const QRectF drawn = QRectF(from, to).normalized() & all;
  if (drawn.isEmpty()) return std::nullopt;
  edit.prompts.boxes.insert(
      edit.prompts.boxes.end(),
      {whole(std::floor(drawn.left()), all.width()), whole(std::floor(drawn.top()), all.height()),
       whole(std::ceil(drawn.right()), all.width()),
       whole(std::ceil(drawn.bottom()), all.height())});
  edit.what = QObject::tr("prompt box");
  return edit;
}

void PromptTool::paint(QPainter& painter) const {
  if (!begin_ || !isDrag()) return;
  const QRectF box = QRectF(*begin_, end_).normalized();
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(QColor(0, 0, 0, 190), 3));
  painter.drawRect(box);
  painter.setPen(QPen(Qt::white, 1.5, Qt::DashLine));
  painter.drawRect(box);
}

}  // namespace adamerge::ui
