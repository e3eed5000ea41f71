// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/recent.h"

#include <QAction>
#include <QMenu>
#include <QSettings>
#include <algorithm>

#include "adamerge/files.h"
#include "bench/hub_models.h"
#include "look/text.h"

namespace adamerge::ui {
namespace {

constexpr int kLongestName = 48;  ///< characters in a menu

QString elided(const QString& text) {
  if (text.size() <= kLongestName) return text;
  return text.left(kLongestName / 2) + QStringLiteral("…") + text.right(kLongestName / 2 - 1);
}

std::filesystem::path normal(const std::filesystem::path& path) {
  const std::filesystem::path absolute = absolutePath(path).lexically_normal();
  // "photos/" and "photos" are one.
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace

RecentList::RecentList(const QString& kind, QSettings& settings, QObject* parent)
    : QObject(parent), key_(QStringLiteral("recent/") + kind), settings_(settings) {
  for (const QString& path : settings_.value(key_).toStringList()) {
    if (!path.isEmpty() && paths_.size() < kMost) paths_.emplace_back(path.toStdString());
  }
}

void RecentList::add(const std::filesystem::path& path) {
  const std::filesystem::path added = normal(path);
  std::erase(paths_, added);
  paths_.insert(paths_.begin(), added);
  if (paths_.size() > kMost) paths_.resize(kMost);
  save();
}

void RecentList::clear() {
  paths_.clear();
  save();
}

void RecentList::save() {
  QStringList list;
  for (const auto& path : paths_) list << QString::fromStdString(path.string());
  settings_.setValue(key_, list);
  emit changed();
}

void RecentList::fillMenu(QMenu* menu) {
  connect(menu, &QMenu::aboutToShow, this, [this, menu] { rebuild(menu); });
  menu->setToolTipsVisible(true);
  rebuild(menu);
}

QString RecentList::label(const std::filesystem::path& path, std::size_t place) const {
  QString name = displayName(path);
  const auto same_name = [&](const auto& other) { return displayName(other) == name; };
  if (std::count_if(paths_.begin(), paths_.end(), same_name) > 1) {
    name = tr("%1 (in %2)").arg(name, fileName(path.parent_path()));
  }
  // The digit is the key that opens it; an ampersand of the name is not another.
  return QStringLiteral("&%1  %2")
      .arg((place + 1) % 10)
      .arg(elided(name).replace(QLatin1Char('&'), QStringLiteral("&&")));
}

void RecentList::addEntry(QMenu* menu, const QString& label, const std::filesystem::path& path) {
  const QString text = QString::fromStdString(path.string());
  QAction* action = menu->addAction(label, this, [this, path] { emit chosen(path); });
  std::error_code code;
  const bool there = std::filesystem::exists(path, code);
  action->setEnabled(there);
  action->setToolTip(there ? text : tr("%1 is no longer there.").arg(text));
  action->setStatusTip(text);
}

void RecentList::rebuild(QMenu* menu) {
  menu->clear();
  if (paths_.empty() && offered_.empty()) {
    menu->addAction(tr("Nothing opened yet"))->setEnabled(false);
    return;
  }
  for (std::size_t place = 0; place < paths_.size(); ++place) {
    addEntry(menu, label(paths_[place], place), paths_[place]);
  }
  for (const std::filesystem::path& path : offered_) {
    if (std::find(paths_.begin(), paths_.end(), path) != paths_.end()) continue;
    const QString name = fileName(path);
    addEntry(menu, tr("%1 (comes with the program)").arg(name), path);
  }
  if (paths_.empty()) return;
  menu->addSeparator();
  menu->addAction(tr("Clear this list"), this, &RecentList::clear);
}

}  // namespace adamerge::ui
