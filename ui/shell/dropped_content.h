// SPDX-License-Identifier: GPL-3.0-or-later
// What a drop or the clipboard holds, sorted by what the studio can do with it.
#pragma once

#include <QByteArray>
#include <QImage>
#include <QString>
#include <filesystem>
#include <vector>

class QMimeData;

namespace adamerge::ui {

struct DroppedContent {
  std::vector<std::filesystem::path> images;    ///< files
  std::vector<std::filesystem::path> folders;   ///< to list pictures of
  std::vector<std::filesystem::path> models;    ///< weight files, or folders that hold one
  std::vector<std::filesystem::path> sessions;  ///< .adamerge
  std::vector<std::filesystem::path> videos;
  QByteArray image_bytes;  ///< an encoded picture without a file, for PictureLoader::open
  QImage image;            ///< where only its pixels came
  QString image_name;      ///< for people: what to call image or image_bytes
  QString problem;         ///< one sentence: what came is of no use; empty where something is

  bool usable() const;
};

/// Files come before picture data, picture data before addresses. Nothing is downloaded.
DroppedContent readDrop(const QMimeData& data);

/// "Open the picture zebra.jpg", for a drop overlay.
QString describeDrop(const DroppedContent& content);

/// config.json beside weights the core reads.
bool isModelFolder(const std::filesystem::path& folder);

}  // namespace adamerge::ui
