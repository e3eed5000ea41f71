// SPDX-License-Identifier: GPL-3.0-or-later
// What is laid over the pictures, and how.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

#include "bench/pane.h"
#include "settings/held_range.h"

class QButtonGroup;
class QCheckBox;
class QComboBox;
class QLabel;
class QSlider;
class QStackedWidget;

namespace adamerge::ui {

class NumberLabel;

class OverlayForm : public QWidget {
  Q_OBJECT
 public:
  explicit OverlayForm(ViewState& view, HeldRange::Find find_range = {}, QWidget* parent = nullptr);

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
  /// The control changes the style's member, and shows it.
  template <typename Value>
  void bind(QComboBox& box, Value OverlayStyle::*member);
  void bind(QCheckBox& box, bool OverlayStyle::*member);
  void refresh();
  /// Applies `change` to the view's style.
  template <typename Change>
  void change(Change change);

  ViewState& view_;
  std::vector<std::function<void(const OverlayStyle&)>> shown_;  ///< what refresh() calls
  QButtonGroup* kinds_;
  QLabel* title_;
  QLabel* help_;
  QSlider* opacity_;
  NumberLabel* opacity_text_;
  QStackedWidget* options_;
  QComboBox* colormap_;
  QComboBox* scale_;
  QCheckBox* smooth_;
  HeldRange* range_;
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
