// SPDX-License-Identifier: GPL-3.0-or-later
// The images of an evaluation, by what merging did to them; a click opens one on the canvas.
#pragma once

#include <QComboBox>
#include <QListView>
#include <QStringList>
#include <QWidget>
#include <memory>

#include "adamerge/dataset.h"
#include "adamerge/methods.h"
#include "bench/gallery.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class ElidedLabel;
class GalleryModel;
class MessageLine;
class Workbench;

/// Chooses the setting that the gallery and the classes are of.
class GallerySetting : public QComboBox {
  Q_OBJECT
 public:
  /// `gallery` must outlive this.
  explicit GallerySetting(Gallery& gallery, QWidget* parent = nullptr);
};

class GalleryPage : public QWidget {
  Q_OBJECT
 public:
  /// Both must outlive this.
  GalleryPage(Workbench& workbench, Gallery& gallery, QWidget* parent = nullptr);

 signals:
  void pictureChosen(const adamerge::ImagePlace& place, const adamerge::MethodChoice& choice);
  void sheetMade(const adamerge::ui::GallerySheet& sheet);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void layOut();
  void fillClasses();
  void showFilter();
  void readFilter();
  void showList(const GalleryListPtr& list);
  void choose(const QModelIndex& index);
  void tellMissing(int row, const QString& problem);
  void askForFile();
  void makeSheet();
  std::shared_ptr<const Engine> matchingEngine() const;

  Workbench& workbench_;
  Gallery& gallery_;
  GalleryModel* model_;
  GallerySetting* setting_;
  QComboBox* show_;
  QComboBox* class_;
  ElidedLabel* count_;
  QToolButton* open_;
  QToolButton* sheet_;
  QListView* view_;
  QLabel* empty_;
  MessageLine* notice_;
  QStringList missing_;         ///< sentences
  QString statistics_problem_;  ///< likewise, of the setting shown; empty: none
};

}  // namespace adamerge::ui
