// SPDX-License-Identifier: GPL-3.0-or-later
// Who pays for merging: accuracy per class before and after, newly confused pairs, and whether the
// counts follow the images.
#pragma once

#include <QAbstractTableModel>
#include <QWidget>

#include "bench/gallery.h"

class QLabel;

namespace adamerge::ui {

class GallerySetting;
class SortedTable;

class ClassesModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column {
    kClass,
    kChange,
    kInterval,
    kP,
    kPAll,
    kLost,
    kGained,
    kBefore,
    kAfter,
    kImages,
    kColumns
  };

  using QAbstractTableModel::QAbstractTableModel;

  void show(GalleryClassesPtr classes);
  const GalleryClassesPtr& classes() const { return classes_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  GalleryClassesPtr classes_;
};

class ConfusionsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { kOf, kFor, kBefore, kAfter, kColumns };

  using QAbstractTableModel::QAbstractTableModel;

  void show(GalleryClassesPtr classes);
  const GalleryClassesPtr& classes() const { return classes_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  GalleryClassesPtr classes_;
};

class ClassesPage : public QWidget {
  Q_OBJECT
 public:
  /// `gallery` must outlive this.
  explicit ClassesPage(Gallery& gallery, QWidget* parent = nullptr);

 signals:
  /// The gallery's filter is to be seen.
  void galleryWanted();

 private:
  void showClasses(const GalleryClassesPtr& classes);

  Gallery& gallery_;
  GallerySetting* setting_;
  ClassesModel* classes_model_;
  ConfusionsModel* confusions_model_;
  SortedTable* classes_;
  SortedTable* confusions_;
  QLabel* adaptation_;
  QLabel* empty_;
};

}  // namespace adamerge::ui
