// SPDX-License-Identifier: GPL-3.0-or-later
// Names of exported files, from a template with places such as {image} and {figure}.
#pragma once

#include <QString>
#include <QStringList>

namespace adamerge::ui {

struct FileNameParts {
  QString image;     ///< "ice_bear"
  QString figure;    ///< "groups"
  int block = -1;    ///< 0-based; -1: the figure shows all blocks
  QString model;     ///< "vit-tiny-cifar10"
  QString method;    ///< "adamerge"
  QString settings;  ///< "AdaMerge, r_max 16": what describe() says
};

/// "{image}-{figure}{block}"
QString defaultFileName();
/// The places a template may name, without braces.
const QStringList& fileNamePlaces();
/// The first place in `name` that does not exist, without braces; empty: all do.
QString unknownPlace(const QString& name);
/// The name without extension: places filled in, everything that file systems or shells stumble
/// over replaced. Never empty.
QString expandFileName(const QString& name, const FileNameParts& parts);
/// Lower case, words joined by hyphens: "AdaMerge, r_max 16" -> "adamerge-r_max-16".
QString slug(const QString& text);

}  // namespace adamerge::ui
