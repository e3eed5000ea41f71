// SPDX-License-Identifier: GPL-3.0-or-later
// Where exported files go, what they are called, and which data goes with them.
#pragma once

#include <QStringList>
#include <QWidget>

#include "export/export_source.h"
#include "export/page_form.h"

class QButtonGroup;
class QCheckBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace adamerge::ui {

class TargetForm : public QWidget {
  Q_OBJECT
 public:
  explicit TargetForm(QWidget* parent = nullptr);

  QString folder() const;
  QString name() const;
  QStringList data() const;  ///< ids
  void setFolder(const QString& folder);
  void setName(const QString& name);
  void setData(const QStringList& ids);
  /// Without a result there is no data.
  void setDataAvailable(bool available);
  /// The names that come out, or why none do.
  void showNames(const QStringList& names, const QString& problem);
  QFormLayout* form() const { return form_; }

 signals:
  void changed();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void browse();
  void elideNames();

  QFormLayout* form_;
  QLineEdit* folder_;
  QLineEdit* name_;
  QLabel* names_;
  QString file_names_;
  QWidget* data_box_;
  std::vector<QCheckBox*> data_;
};

// How and where to export: format, page, block, folder, name and data.

class TargetForm;

class ExportForm : public QWidget {
  Q_OBJECT
 public:
  /// `depth`: blocks of the model; `block`: the one to begin with, 0-based.
  ExportForm(int depth, int block, QWidget* parent = nullptr);

  ExportOptions options() const;
  void setOptions(const ExportOptions& options);
  ExportStyle style(const OverlayStyle& overlay) const;

  void setBlockUsed(bool used);
  void setDataAvailable(bool available);
  void setPageSize(const QSizeF& mm);
  void showNames(const QStringList& names, const QString& problem);

 signals:
  void pageChanged();    ///< the picture looks different
  void targetChanged();  ///< only where it goes

 private:
  void addFormats();
  void addBlock(int depth, int block);
  FigureFormat format() const;

  QButtonGroup* formats_;
  PageForm* page_;
  QLabel* block_label_;
  QSpinBox* block_;
  TargetForm* target_;
};

}  // namespace adamerge::ui
