// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation found of each image, as the gallery and the table of classes show it: read,
// sorted and counted off the UI thread.
#pragma once

#include <QObject>
#include <QString>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/picture_figures.h"
#include "adamerge/pictures.h"
#include "bench/jobs.h"

namespace adamerge::ui {

using PictureFilePtr = std::shared_ptr<const PictureFile>;

/// The images that the gallery shows, in its order.
struct GalleryList {
  PictureFilePtr file;
  std::size_t point = 0;
  PictureFilter filter;
  std::vector<std::uint32_t> pictures;
};
using GalleryListPtr = std::shared_ptr<const GalleryList>;

/// Who pays for one setting, and whether its counts follow the images.
struct GalleryClasses {
  PictureFilePtr file;
  std::size_t point = 0;
  std::vector<ClassOutcome> classes;
  std::vector<Confusion> confusions;
  Adaptation adaptation;
  /// What each block merged: of all settings that merge where they are few, else of this one.
  CountsFigure counts;
};
using GalleryClassesPtr = std::shared_ptr<const GalleryClasses>;

using PictureFigurePtr = std::shared_ptr<const PictureFigure>;

struct GallerySheet {
  PictureFigurePtr sheet;
  PictureFigurePtr counts;       ///< of all settings that merge; nullptr: none does
  std::vector<QString> missing;  ///< sentences: images that are not there or others now
};

class Gallery : public QObject {
  Q_OBJECT
 public:
  explicit Gallery(QObject* parent = nullptr);

  /// Of several the newest counts.
  void open(const std::filesystem::path& path);
  void clear();
  /// nullptr: none is open.
  const PictureFilePtr& file() const { return file_; }
  std::size_t point() const { return point_; }
  const PictureFilter& filter() const { return filter_; }

  void setPoint(std::size_t point);
  void setFilter(const PictureFilter& filter);
  /// Of the first images of `list`. sheetMade() comes, or failed().
  void makeSheet(std::shared_ptr<const Engine> engine, const GalleryListPtr& list);
  void cancelSheet();

 signals:
  /// Another file, or none.
  void fileChanged();
  void pointChanged();
  void filterChanged();
  /// nullptr: nothing is open.
  void listed(adamerge::ui::GalleryListPtr list);
  void counted(adamerge::ui::GalleryClassesPtr classes);
  void sheetProgressed(int done, int total);
  void sheetMade(const adamerge::ui::GallerySheet& sheet);
  void failed(const QString& message);

 private:
  void list();
  void count();

  PictureFilePtr file_;
  std::size_t point_ = 0;
  PictureFilter filter_;
  Jobs jobs_{this};
  Jobs sheets_{this};
};

/// Whether `engine` is of the model that `file` was measured with.
bool sameModel(const PictureFile& file, const Engine* engine);
/// How groups are drawn on small pictures.
OverlayStyle tileOverlay();

}  // namespace adamerge::ui
