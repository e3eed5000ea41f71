// SPDX-License-Identifier: GPL-3.0-or-later
// How large, fine and dark exported pictures are.
#pragma once

#include <QSizeF>
#include <QString>
#include <QStringList>
#include <QWidget>

#include "adamerge/figures.h"

class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QSpinBox;

namespace adamerge::ui {

struct PageOptions {
  double width_mm = 0;  ///< 0: each figure's own
  bool inches = false;  ///< how the width is shown
  int dpi = 300;
  double font_size = 7;  ///< points
  Background background = Background::kLight;

  bool operator==(const PageOptions&) const = default;
  /// With what the canvas shows.
  FigureStyle style(const OverlayStyle& overlay) const;
};

class PageForm : public QWidget {
  Q_OBJECT
 public:
  explicit PageForm(QWidget* parent = nullptr);

  PageOptions options() const;
  void setOptions(const PageOptions& options);
  /// For rows of the owner above and below.
  QFormLayout* form() const { return form_; }

  /// The size on paper of what is chosen, so that the figure's own width and the pixels show.
  void setPageSize(const QSizeF& mm);
  /// Only PNG has a resolution.
  void setResolutionUsed(bool used);

 signals:
  void changed();

 private:
  void buildWidth();
  void buildRest();
  void choosePreset(int index);
  void showWidth();
  void showPixels();
  double widthInSpin() const;

  QFormLayout* form_;
  QComboBox* preset_;
  QDoubleSpinBox* width_;
  QComboBox* unit_;
  QSpinBox* dpi_;
  QLabel* pixels_;
  QDoubleSpinBox* font_size_;
  QComboBox* background_;
  double width_mm_ = 0;
  QSizeF page_mm_;
};

// What the export dialog was last told, kept between sessions.

struct ExportOptions {
  FigureFormat format = FigureFormat::kPdf;
  PageOptions page;
  QString folder;
  QString name;
  QStringList data;  ///< ids of data files to write as well

  static ExportOptions load();
  void save() const;
};

/// Kept under `group` of the program's settings; the batch dialog has its own.
PageOptions loadPageOptions(const QString& group);
void savePageOptions(const QString& group, const PageOptions& options);

const std::vector<FigureFormat>& allFormats();
/// "png", "svg", "pdf".
QString extension(FigureFormat format);

}  // namespace adamerge::ui
