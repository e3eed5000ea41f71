// SPDX-License-Identifier: GPL-3.0-or-later
// What is dropped on the window or pasted: what it holds, what letting go will do, and taking it.
#pragma once

#include <QByteArray>
#include <QImage>
#include <QObject>
#include <QString>
#include <QWidget>
#include <filesystem>
#include <vector>

class QMimeData;

namespace adamerge::ui {

// What a drop or the clipboard holds, sorted by what the studio can do with it.

struct DroppedContent {
  std::vector<std::filesystem::path> images;    ///< files
  std::vector<std::filesystem::path> folders;   ///< to list pictures of
  std::vector<std::filesystem::path> models;    ///< weight files, or folders that hold one
  std::vector<std::filesystem::path> sessions;  ///< .adamerge
  std::vector<std::filesystem::path> videos;
  std::vector<std::filesystem::path> figures;  ///< SVG and PDF, which may carry settings
  QByteArray image_bytes;    ///< an encoded picture without a file, for PictureLoader::open
  QImage image;              ///< where only its pixels came
  QString image_name;        ///< for people: what to call image or image_bytes
  bool holds_image = false;  ///< there are pixels, fetched or not
  QString problem;           ///< one sentence: what came is of no use; empty where something is

  bool usable() const;
};

/// Files come before picture data, picture data before addresses. Nothing is downloaded.
/// `pixels` false: what hovers is only looked at, and a picture in it is not fetched.
DroppedContent readDrop(const QMimeData& data, bool pixels = true);

/// Sorts files by what they are. The first problem, in a sentence; empty: none.
QString sortFiles(const std::vector<QString>& paths, DroppedContent& content);

/// "Open the picture zebra.jpg", for a drop overlay.
QString describeDrop(const DroppedContent& content);

/// config.json beside weights the core reads.
bool isModelFolder(const std::filesystem::path& folder);

// Covers a widget while something is dragged over it and says what letting go will do.

class DropOverlay : public QWidget {
  Q_OBJECT
 public:
  /// Covers all of `covered`, whatever its size becomes. Lets all events through.
  explicit DropOverlay(QWidget* covered);

  using QWidget::show;
  void show(const DroppedContent& content);
  const QString& text() const { return text_; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void paintCard(QPainter& painter, const QRectF& card);

  QString text_;
  bool usable_ = true;
};

// Takes what is dropped anywhere on the window.

class DropTarget : public QObject {
  Q_OBJECT
 public:
  explicit DropTarget(QWidget* window);

 signals:
  void dropped(const adamerge::ui::DroppedContent& content);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  DropOverlay* overlay_;
};

}  // namespace adamerge::ui
