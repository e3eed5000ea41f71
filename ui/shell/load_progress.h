// SPDX-License-Identifier: GPL-3.0-or-later
// A model on its way: what is done just now, how far it is, and a button to give it up.
#pragma once

#include <QWidget>

class QProgressBar;
class QToolButton;

namespace adamerge::ui {

class ElidedLabel;

class LoadProgress : public QWidget {
  Q_OBJECT
 public:
  explicit LoadProgress(QWidget* parent = nullptr);

  void start(const QString& name);
  /// A `total` of 0: nobody knows how far.
  void report(const QString& stage, qint64 done, qint64 total);

 signals:
  void cancelled();

 private:
  QString name_;
  ElidedLabel* label_;
  QProgressBar* bar_;
  QToolButton* cancel_;
};

}  // namespace adamerge::ui
