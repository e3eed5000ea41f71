// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/overlay_form.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QSignalBlocker>
#include <QSlider>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/overlay_table.h"
#include "look/icons.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr QSize kSwatch(40, 12);
constexpr int kKindsPerRow = 6;
enum Page { kHeatPage, kGroupsPage, kComponentsPage, kNoPage };

Page pageOf(OverlayKind kind) {
  if (isHeatMap(kind)) return kHeatPage;
  if (kind == OverlayKind::kComponents) return kComponentsPage;
  return kind == OverlayKind::kGroups ? kGroupsPage : kNoPage;
}

QGridLayout* gridOn(QWidget* page) {
  auto* layout = tightLayout<QGridLayout>(page, 8);
  layout->setColumnStretch(1, 1);
  return layout;
}

QIcon swatch(Colormap map) {
  constexpr int kScale = 2;
  QImage image(kSwatch * kScale, QImage::Format_RGB32);
  for (int x = 0; x < image.width(); ++x) {
    const auto color = colormapColor(map, x / (image.width() - 1.0));
    for (int y = 0; y < image.height(); ++y) {
      image.setPixel(x, y, qRgb(color[0], color[1], color[2]));
    }
  }
  return QIcon(QPixmap::fromImage(image));
}

QComboBox* makeCombo(const QString& object_name, const QString& name) {
  auto* combo = new QComboBox;
  combo->setObjectName(object_name);
  combo->setAccessibleName(name);
  combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  ignoreWheelWithoutFocus(*combo);
  return combo;
}

void addItem(QComboBox& combo, const QIcon& icon, const QString& label, int value,
             const QString& help) {
  combo.addItem(icon, label, value);
  combo.setItemData(combo.count() - 1, richText(help), Qt::ToolTipRole);
}

void choose(QComboBox& combo, int value) {
  const QSignalBlocker quiet(combo);
  combo.setCurrentIndex(combo.findData(value));
  combo.setToolTip(combo.currentData(Qt::ToolTipRole).toString());
}

QLabel* labelFor(QWidget* control, const QString& text) {
  auto* label = new QLabel(text);
  label->setBuddy(control);
  return label;
}

/// One setting with named values.
template <class Value>
QWidget* choicePage(QComboBox& box, const QString& label,
                    const std::vector<NamedValue<Value>>& values) {
  for (const auto& value : values) {
    addItem(box, {}, value.label, static_cast<int>(value.value), value.help);
  }
  auto* page = new QWidget;
  QGridLayout* layout = gridOn(page);
  layout->addWidget(labelFor(&box, label), 0, 0);
  layout->addWidget(&box, 0, 1);
  layout->setRowStretch(1, 1);
  return page;
}

}  // namespace

OverlayForm::OverlayForm(ViewState& view, HeldRange::Find find_range, QWidget* parent)
    : QWidget(parent),
      view_(view),
      kinds_(new QButtonGroup(this)),
      title_(new QLabel),
      help_(new QLabel),
      opacity_(new QSlider(Qt::Horizontal)),
      opacity_text_(new NumberLabel),
      options_(new QStackedWidget),
      colormap_(makeCombo(QStringLiteral("colormap"), tr("Colour map"))),
      scale_(makeCombo(QStringLiteral("scale"), tr("Scale"))),
      smooth_(new QCheckBox(tr("Smooth between patches"))),
      range_(new HeldRange(view, std::move(find_range))),
      token_(makeCombo(QStringLiteral("lens-token"), tr("Token"))),
      head_(makeCombo(QStringLiteral("lens-head"), tr("Head"))),
      looked_at_(new QCheckBox(tr("Who looks at it"))),
      from_other_(new QCheckBox(tr("From the other canvas's run"))),
      foreground_(makeCombo(QStringLiteral("foreground"), tr("Foreground"))),
      groups_(makeCombo(QStringLiteral("group-style"), tr("Groups as"))),
      dim_(new QCheckBox(tr("Dim what the model does not see"))),
      windows_(new QCheckBox(tr("Windows of attention"))) {
  QWidget* kinds = makeKinds();
  QWidget* heat = makeHeatPage();
  layOut(kinds, heat, makeGroupsPage());
  connectAll();
  refresh();
}

QWidget* OverlayForm::makeKinds() {
  auto* row = new QWidget;
  auto* layout = tightLayout<QGridLayout>(row, 2);
  int place = 0;
  for (const OverlayInfo& kind : overlays()) {
    auto* button = new QToolButton;
    button->setObjectName(QString::fromLatin1(kind.icon));
    button->setIcon(icon(QString::fromLatin1(kind.icon)));
    button->setIconSize({20, 20});
    button->setCheckable(true);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    button->setAccessibleName(kind.label);
    button->setAccessibleDescription(kind.help);
    button->setToolTip(QStringLiteral("<p><b>%1</b> (%2)</p>%3")
                           .arg(kind.label.toHtmlEscaped(),
                                kind.key.toString(QKeySequence::NativeText), richText(kind.help)));
    kinds_->addButton(button, static_cast<int>(kind.value));
    layout->addWidget(button, place / kKindsPerRow, place % kKindsPerRow);
    ++place;
  }
  return row;
}

QWidget* OverlayForm::makeHeatPage() {
  colormap_->setIconSize(kSwatch);
  for (const auto& map : colormaps()) {
    addItem(*colormap_, swatch(map.value), map.label, static_cast<int>(map.value), map.help);
  }
  for (const auto& scale : salienceScales()) {
    addItem(*scale_, {}, scale.label, static_cast<int>(scale.value), scale.help);
  }
  smooth_->setObjectName(QStringLiteral("smooth"));
  smooth_->setToolTip(
      richText(tr("Interpolates the map between the centres of patches. Off: every "
                  "patch in its own colour, which is what the model has.")));
  auto* page = new QWidget;
  QGridLayout* layout = gridOn(page);
  layout->addWidget(labelFor(colormap_, tr("Colour map")), 0, 0);
  layout->addWidget(colormap_, 0, 1);
  layout->addWidget(labelFor(scale_, tr("Scale")), 1, 0);
  layout->addWidget(scale_, 1, 1);
  layout->addWidget(smooth_, 2, 0, 1, 2);
  layout->addWidget(range_, 3, 0, 1, 2);
  layout->addWidget(makeAttention(), 4, 0, 1, 2);
  from_other_->setObjectName(QStringLiteral("from-other"));
  from_other_->setToolTip(
      richText(tr("Compares with what the other method makes of the picture, instead of with the "
                  "unmerged model: two methods at equal FLOPs, for example.")));
  layout->addWidget(from_other_, 5, 0, 1, 2);
  layout->setRowStretch(6, 1);
  return page;
}

QWidget* OverlayForm::makeAttention() {
  looked_at_->setObjectName(QStringLiteral("looked-at"));
  looked_at_->setToolTip(richText(
      tr("Shows of every patch how much of its own attention goes to the token, instead of "
         "where the token looks.")));
  attention_ = new QWidget;
  QGridLayout* layout = gridOn(attention_);
  layout->addWidget(labelFor(token_, tr("Token")), 0, 0);
  layout->addWidget(token_, 0, 1);
  layout->addWidget(labelFor(head_, tr("Head")), 1, 0);
  layout->addWidget(head_, 1, 1);
  layout->addWidget(looked_at_, 2, 0, 1, 2);
  // Nothing below moves between kinds.
  for (QWidget* widget : {attention_, static_cast<QWidget*>(from_other_)}) {
    QSizePolicy policy = widget->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    widget->setSizePolicy(policy);
  }
  return attention_;
}

QWidget* OverlayForm::makeComponentsPage() {
  return choicePage(*foreground_, tr("Show"), foregrounds());
}

void OverlayForm::setNetwork(const VitConfig& vit) {
  windows_->setVisible(vit.isWindowed());
  {
    const QSignalBlocker quiet_token(token_);
    const QSignalBlocker quiet_head(head_);
    token_->clear();
    head_->clear();
    for (int token = 0; token < vit.prefixTokens(); ++token) {
      const bool class_token = vit.class_token && token == 0;
      addItem(*token_, {},
              class_token ? tr("Class token")
                          : tr("Register %1").arg(token + (vit.class_token ? 0 : 1)),
              token, tr("Whose attention is shown while no patch is clicked."));
    }
    if (vit.prefixTokens() == 0) {
      addItem(*token_, {}, tr("The clicked patch"), 0, tr("This model has patch tokens alone."));
    }
    addItem(*head_, {}, tr("Mean of all"), -1, tr("The mean over all heads of the block."));
    for (int head = 0; head < vit.heads * vit.branches; ++head) {
      addItem(*head_, {}, tr("Head %1").arg(head), head, tr("Counted from 0, as in JSON."));
    }
  }
  refresh();
}

QWidget* OverlayForm::makeGroupsPage() {
  return choicePage(*groups_, tr("Groups as"), groupStyles());
}

void OverlayForm::layOut(QWidget* kinds, QWidget* heat, QWidget* groups) {
  title_->setFont(headingFont());
  makeCaption(*help_);
  help_->setWordWrap(true);
  help_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  // Room for the longest explanation in a narrow panel, so that nothing below moves.
  help_->setMinimumHeight(4 * QFontMetrics(help_->font()).lineSpacing());
  opacity_->setObjectName(QStringLiteral("opacity"));
  opacity_->setRange(0, 100);
  opacity_->setPageStep(10);
  opacity_->setAccessibleName(tr("Opacity"));
  opacity_->setToolTip(richText(tr("How much the overlay covers the image.")));
  ignoreWheelWithoutFocus(*opacity_);
  opacity_text_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  opacity_text_->setMinimumWidth(fontMetrics().horizontalAdvance(QStringLiteral("100 %")) + 4);
  dim_->setObjectName(QStringLiteral("dim-outside"));
  dim_->setToolTip(richText(tr("The model sees a crop of the image; this darkens the rest.")));
  windows_->setObjectName(QStringLiteral("windows"));
  windows_->setToolTip(richText(
      tr("The edges of the windows that the block's attention runs in. Blocks without lines "
         "attend to the whole picture.")));
  windows_->hide();
  options_->insertWidget(kHeatPage, heat);
  options_->insertWidget(kGroupsPage, groups);
  options_->insertWidget(kComponentsPage, makeComponentsPage());
  options_->insertWidget(kNoPage, new QWidget);

  auto* opacity = new QHBoxLayout;
  opacity->setSpacing(8);
  opacity->addWidget(labelFor(opacity_, tr("Opacity")));
  opacity->addWidget(opacity_, 1);
  opacity->addWidget(opacity_text_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(12, 12, 12, 12);
  layout->setSpacing(8);
  layout->addWidget(kinds);
  layout->addWidget(title_);
  layout->addWidget(help_);
  layout->addLayout(opacity);
  layout->addWidget(dim_);
  layout->addWidget(windows_);
  layout->addWidget(options_);
  layout->addStretch(1);
}

template <typename Change>
void OverlayForm::change(Change change) {
  OverlayStyle style = view_.overlay();
  change(style);
  view_.editOverlay(style);
}

template <typename Value>
void OverlayForm::bind(QComboBox& box, Value OverlayStyle::*member) {
  connect(&box, &QComboBox::currentIndexChanged, this, [this, &box, member] {
    change([&](OverlayStyle& style) {
      style.*member = static_cast<Value>(box.currentData().toInt());
    });
  });
  shown_.push_back(
      [&box, member](const OverlayStyle& style) { choose(box, static_cast<int>(style.*member)); });
}

void OverlayForm::bind(QCheckBox& box, bool OverlayStyle::*member) {
  connect(&box, &QCheckBox::toggled, this,
          [this, member](bool on) { change([&](OverlayStyle& style) { style.*member = on; }); });
  shown_.push_back([&box, member](const OverlayStyle& style) {
    const QSignalBlocker quiet(box);
    box.setChecked(style.*member);
  });
}

void OverlayForm::connectAll() {
  connect(kinds_, &QButtonGroup::idClicked, this, [this](int id) {
    change([&](OverlayStyle& style) { style.kind = static_cast<OverlayKind>(id); });
  });
  connect(opacity_, &QSlider::valueChanged, this, [this](int percent) {
    change([&](OverlayStyle& style) { style.opacity = percent / 100.0; });
  });
  bind(*colormap_, &OverlayStyle::colormap);
  bind(*scale_, &OverlayStyle::scale);
  bind(*groups_, &OverlayStyle::groups);
  bind(*foreground_, &OverlayStyle::foreground);
  bind(*token_, &OverlayStyle::prefix_token);
  bind(*head_, &OverlayStyle::head);
  bind(*looked_at_, &OverlayStyle::looked_at);
  bind(*from_other_, &OverlayStyle::from_other);
  bind(*smooth_, &OverlayStyle::smooth);
  bind(*dim_, &OverlayStyle::dim_outside);
  bind(*windows_, &OverlayStyle::windows);
  // What is clicked goes before; the one chosen here is wanted now.
  connect(token_, &QComboBox::currentIndexChanged, this, [this] { view_.select(std::nullopt); });
  connect(&view_, &ViewState::overlayChanged, this, &OverlayForm::refresh);
}

void OverlayForm::refresh() {
  const OverlayStyle& style = view_.overlay();
  const OverlayInfo& kind = entryOf(overlays(), style.kind);
  kinds_->button(static_cast<int>(style.kind))->setChecked(true);
  title_->setText(kind.label);
  help_->setText(kind.help);
  const int percent = static_cast<int>(std::lround(100 * style.opacity));
  {
    const QSignalBlocker quiet(opacity_);
    opacity_->setValue(percent);
  }
  opacity_->setEnabled(style.kind != OverlayKind::kNone);
  opacity_text_->setEnabled(opacity_->isEnabled());
  opacity_text_->setText(tr("%1 %").arg(percent));
  for (const auto& show : shown_) show(style);
  attention_->setVisible(style.kind == OverlayKind::kAttention);
  from_other_->setVisible(style.kind == OverlayKind::kChange);
  options_->setCurrentIndex(pageOf(style.kind));
}

}  // namespace adamerge::ui
