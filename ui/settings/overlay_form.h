// SPDX-License-Identifier: GPL-3.0-or-later
// What is laid over the pictures, and how.
#pragma once

#include <QWidget>
#include <functional>
#include <optional>

#include "bench/pane.h"

class QButtonGroup;
class QCheckBox;
class QComboBox;
class QLabel;
class QSlider;
class QStackedWidget;

namespace adamerge::ui {

class NumberLabel;
class RealBox;

class OverlayForm : public QWidget {
  Q_OBJECT
 public:
  /// The range to be held for a heat map; nullopt: nothing shown has one.
  using FindRange = std::function<std::optional<ValueRange>(OverlayKind, SalienceScale)>;

  explicit OverlayForm(ViewState& view, FindRange find_range = {}, QWidget* parent = nullptr);

  /// Whose tokens and heads are offered.
  void setNetwork(const VitConfig& vit);

 private:
  QWidget* makeKinds();
  QWidget* makeHeatPage();
  QWidget* makeAttention();
  QWidget* makeComponentsPage();
  QWidget* makeGroupsPage();
  void layOut(QWidget* kinds, QWidget* heat, QWidget* groups);
  void connectAll();
  void connectRange();
  void showRange();
  void refresh();
  /// Applies `change` to the view's style.
  template <typename Change>
  void change(Change change);

  ViewState& view_;
  FindRange find_range_;
  QButtonGroup* kinds_;
  QLabel* title_;
  QLabel* help_;
  QSlider* opacity_;
  NumberLabel* opacity_text_;
  QStackedWidget* options_;
  QComboBox* colormap_;
  QComboBox* scale_;
  QCheckBox* smooth_;
  QCheckBox* hold_;
  RealBox* lowest_;
  RealBox* highest_;
  QComboBox* token_;
  QComboBox* head_;
  QCheckBox* looked_at_;
  QCheckBox* from_other_;
  QComboBox* foreground_;
  QWidget* attention_ = nullptr;  ///< what only attention is asked
  QComboBox* groups_;
  QCheckBox* dim_;
  QCheckBox* windows_;
};

}  // namespace adamerge::ui
