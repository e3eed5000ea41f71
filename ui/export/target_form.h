// SPDX-License-Identifier: GPL-3.0-or-later
// Where exported files go, what they are called, and which data goes with them.
#pragma once

#include <QStringList>
#include <QWidget>

class QCheckBox;
class QFormLayout;
class QLabel;
class QLineEdit;

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

}  // namespace adamerge::ui
