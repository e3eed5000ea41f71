// SPDX-License-Identifier: GPL-3.0-or-later
#include <QFile>
#include <nlohmann/json.hpp>

#include "plots/operating_point.h"

/// Resources of a static library are linked only where they are asked for, outside any namespace.
static void requirePublishedResource() { Q_INIT_RESOURCE(published); }

namespace adamerge::ui {
namespace {

OperatingPoints read() {
  requirePublishedResource();
  QFile file(QStringLiteral(":/published/vit-b16.json"));
  const bool open = file.open(QIODevice::ReadOnly);
  Q_ASSERT(open);
  Q_UNUSED(open);
  const auto json = nlohmann::json::parse(file.readAll().toStdString());
  const auto text = [&](const char* key) {
    return QString::fromStdString(json.at(key).get<std::string>());
  };
  OperatingPoints published{text("model"), text("dataset"), text("source"), {}};
  OperatingPoint unmerged;
  unmerged.method = "none";
  unmerged.top1 = json.at("unmerged").at("top1").get<double>();
  unmerged.flops_paper = json.at("unmerged").at("flops_paper").get<double>();
  unmerged.speed_up = 1;
  published.points.push_back(unmerged);
  for (const auto& entry : json.at("points")) {
    OperatingPoint point;
    MethodChoice choice{entry.at("method").get<std::string>(), {}, nullptr, false};
    for (const auto& [key, value] : entry.at("settings").items()) {
      choice.settings[key] = value.get<std::int64_t>();
    }
    point.method = choice.method;
    point.settings = completeSettings(choice);
    point.top1 = entry.at("top1").get<double>();
    point.flops_paper = entry.at("flops_paper").get<double>();
    point.speed_up = entry.at("speed_up").get<double>();
    published.points.push_back(std::move(point));
  }
  return published;
}

}  // namespace

const OperatingPoints& publishedPoints() {
  static const OperatingPoints published = read();
  return published;
}

}  // namespace adamerge::ui
