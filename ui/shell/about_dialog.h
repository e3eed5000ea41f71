// SPDX-License-Identifier: GPL-3.0-or-later
// What this program is, on what it runs, whose method it shows and under which licence.
#pragma once

#include <QDialog>

namespace adamerge::ui {

class AboutDialog : public QDialog {
  Q_OBJECT
 public:
  explicit AboutDialog(QWidget* parent = nullptr);

  /// Versions in plain text, for reports of errors.
  static QString versions();
};

}  // namespace adamerge::ui
