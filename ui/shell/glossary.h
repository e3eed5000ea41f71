// SPDX-License-Identifier: GPL-3.0-or-later
// What the words in the window mean, one below the other.
#pragma once

#include <QDialog>

namespace adamerge::ui {

class Glossary : public QDialog {
  Q_OBJECT
 public:
  explicit Glossary(QWidget* parent = nullptr);
};

}  // namespace adamerge::ui
