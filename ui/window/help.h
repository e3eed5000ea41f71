// SPDX-License-Identifier: GPL-3.0-or-later
// What the words mean, and what this program is.
#pragma once

#include <QDialog>
#include <QString>

namespace adamerge::ui {

// What the words in the window mean, in a few sentences each with the paper's equation, for
// tooltips and What's This. Plain text.

/// Authors and title of the paper whose equations are named.
QString paperReference();

QString explainSalience();
QString explainRedundancy();
QString explainZ();
QString explainMerge();
QString explainGroup();
QString explainPaperFlops();
QString explainTotalFlops();
QString explainCalibration();
QString explainClassAttention();
QString explainSimilarity();
QString explainSurvivor();
QString explainFidelity();

// What the words in the window mean, one below the other.

class Glossary : public QDialog {
  Q_OBJECT
 public:
  explicit Glossary(QWidget* parent = nullptr);
};

// What this program is, on what it runs, whose method it shows and under which licence.

class AboutDialog : public QDialog {
  Q_OBJECT
 public:
  explicit AboutDialog(QWidget* parent = nullptr);

  /// Versions in plain text, for reports of errors.
  static QString versions();
};

}  // namespace adamerge::ui
