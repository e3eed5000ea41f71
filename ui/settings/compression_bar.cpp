// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/compression_bar.h"

#include <QBoxLayout>
#include <QEvent>
#include <QGridLayout>
#include <QResizeEvent>

#include "bench/traces.h"
#include "look/icons.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "settings/compression_slider.h"

namespace adamerge::ui {
namespace {

constexpr int kIconSize = 16;

QString number(double value, int decimals) { return english().toString(value, 'f', decimals); }

QString flops(double value) { return number(value, flopsDecimals(value)) + QStringLiteral(" G"); }

QString duration(double seconds) {
  constexpr double kSeconds = 2;  ///< from here on, not thousands of milliseconds
  if (seconds >= kSeconds) return QObject::tr("%1 s").arg(number(seconds, 1));
  return QObject::tr("%1 ms").arg(number(1000 * seconds, seconds < 0.1 ? 1 : 0));
}

/// Of the last block, where that matters inside it, or where they are not restored after it.
int tokensLeft(const ImageResult& result) {
  const LayerTrace& last = result.layers.back();
  return last.restored ? last.tokens_inside : last.tokens_out;
}

QString percent(double share) { return number(100 * share, 1) + QStringLiteral(" %"); }

/// The five most probable classes, as a table for a tooltip.
QString topFive(const ImageResult& result, const std::vector<std::string>& labels) {
  QString rows;
  for (const Prediction& one : topPredictions(result.logits, labels, 5)) {
    rows +=
        QStringLiteral("<tr><td style='padding-right:12px'>%1</td><td align='right'>%2</td></tr>")
            .arg(QString::fromStdString(one.label).toHtmlEscaped(), percent(one.probability));
  }
  return QStringLiteral("<table>%1</table>").arg(rows);
}

QLabel* caption(const QString& text) {
  auto* label = new QLabel(text);
  makeCaption(*label);
  return label;
}

}  // namespace

CompressionReadout::CompressionReadout(QWidget* parent)
    : QWidget(parent),
      whole_(new NumberLabel),
      percent_(new NumberLabel),
      verdict_icon_(new QLabel),
      verdict_(new ElidedLabel) {
  for (std::size_t side = 0; side < 2; ++side) {
    const QString suffix = side == 0 ? QStringLiteral("-before") : QStringLiteral("-after");
    flops_[side] = new NumberLabel;
    flops_[side]->setObjectName(QStringLiteral("flops") + suffix);
    tokens_[side] = new NumberLabel;
    tokens_[side]->setObjectName(QStringLiteral("tokens") + suffix);
    times_[side] = new NumberLabel;
    times_[side]->setObjectName(QStringLiteral("time") + suffix);
    classes_[side] = new ElidedLabel;
    classes_[side]->setObjectName(QStringLiteral("class") + suffix);
    probabilities_[side] = new NumberLabel;
    probabilities_[side]->setObjectName(QStringLiteral("probability") + suffix);
  }
  whole_->setObjectName(QStringLiteral("flops-whole"));
  percent_->setObjectName(QStringLiteral("flops-percent"));
  verdict_->setObjectName(QStringLiteral("verdict"));
  verdict_icon_->setFixedSize(kIconSize, kIconSize);

  auto* layout = tightLayout<QGridLayout>(this);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(3);
  layout->addWidget(caption(tr("Unmerged")), 0, 1, 1, 2);
  layout->addWidget(caption(tr("Merged")), 0, 3, 1, 2);
  addRow(*layout, 1, tr("FLOPs"), {flops_[0], whole_, flops_[1], percent_},
         tr("What this image costs: 10⁹ multiply–accumulates of attention and MLP, with the tokens "
            "counted on entry to each block, as the papers count them; and in % of the unmerged "
            "model's."));
  addRow(*layout, 2, tr("Tokens"), {tokens_[0], nullptr, tokens_[1], nullptr},
         tr("Tokens left after the last block, class token included; inside it where all are "
            "restored."));
  addRow(*layout, 3, tr("Time"), {times_[0], nullptr, times_[1], nullptr},
         tr("What the last forward pass of this image took on this machine, with everything traced "
            "that the studio shows. “adamerge bench” measures speed."));
  addRow(*layout, 4, tr("Class"), {classes_[0], probabilities_[0], classes_[1], probabilities_[1]},
         tr("The most probable class and its softmax probability."));
  auto* verdict = new QHBoxLayout;
  verdict->setSpacing(8);
  verdict->addWidget(verdict_icon_);
  verdict->addWidget(verdict_, 1);
  layout->addLayout(verdict, 5, 0, 1, 5);
  layout->setRowMinimumHeight(5, kIconSize + 6);
  for (const int column : {1, 3}) {
    layout->setColumnStretch(column, 3);
    layout->setColumnStretch(column + 1, 2);
  }
  setInspection(nullptr);
}

void CompressionReadout::addRow(QGridLayout& layout, int row, const QString& text,
                                const std::array<QWidget*, 4>& values, const QString& tip) {
  QLabel* name = caption(text);
  if (values[1] == nullptr) details_.push_back(name);
  const QString rich = richText(tip);
  layout.addWidget(name, row, 0);
  name->setToolTip(rich);
  for (std::size_t column = 0; column < values.size(); ++column) {
    QWidget* value = values[column];
    if (value == nullptr) continue;
    if (values[1] == nullptr) details_.push_back(value);
    layout.addWidget(value, row, static_cast<int>(column) + 1);
    if (auto* elided = qobject_cast<ElidedLabel*>(value)) {
      elided->setExplanation(tip);
    } else {
      value->setToolTip(rich);
    }
  }
}

void CompressionReadout::setBrief(bool brief) {
  for (QWidget* detail : details_) detail->setVisible(!brief);
}

void CompressionReadout::setInspection(const InspectionPtr& inspection) {
  inspection_ = inspection;
  if (inspection == nullptr) {
    clear();
    return;
  }
  if (inspection->traced != nullptr) return showTrace(*inspection);
  const std::array<const ImageResult*, 2> results{inspection->baseline.get(), &inspection->result};
  for (std::size_t side = 0; side < 2; ++side) {
    flops_[side]->setText(flops(results[side]->flops.paper));
    tokens_[side]->setText(english().toString(tokensLeft(*results[side])));
    const double seconds = side == 0 ? inspection->baseline_seconds : inspection->seconds;
    times_[side]->setText(duration(seconds));
    flops_[side]->setToolTip(
        tr("<p>%1 as the papers count: attention and MLP, with the tokens counted on entry to each "
           "block.</p><p>%2 in all: with patch embedding, head and the merging itself, at the "
           "tokens each part really sees.</p>")
            .arg(flops(results[side]->flops.paper), flops(results[side]->flops.total)));
  }
  whole_->setText(percent(1));
  percent_->setText(percent(results[1]->flops.paper / results[0]->flops.paper));
  showClasses(*inspection);
}

/// A trace: what it does not hold is a dash.
void CompressionReadout::showTrace(const Inspection& inspection) {
  clear();
  const TraceInfo& info = *inspection.traced->info;
  const std::array<const ImageResult*, 2> results{inspection.baseline.get(), &inspection.result};
  const std::array<bool, 2> costs{info.has_baseline_flops, info.has_flops};
  for (std::size_t side = 0; side < 2; ++side) {
    flops_[side]->setToolTip(costs[side] ? QString() : tr("Not in the trace"));
    if (costs[side]) flops_[side]->setText(flops(results[side]->flops.paper));
    if (results[side]->logits.empty()) continue;
    const Prediction best = topPredictions(results[side]->logits, info.classes, 1).front();
    classes_[side]->setText(QString::fromStdString(best.label));
    classes_[side]->setToolTip(topFive(*results[side], info.classes));
    probabilities_[side]->setText(percent(best.probability));
  }
  tokens_[1]->setText(english().toString(tokensLeft(inspection.result)));
  if (costs[0] && costs[1] && results[0]->flops.paper > 0) {
    whole_->setText(percent(1));
    percent_->setText(percent(results[1]->flops.paper / results[0]->flops.paper));
  }
  showVerdict(QStringLiteral("info"), Tone::kMuted,
              info.has_logits ? tr("A trace: recorded, not computed here")
                              : tr("A trace, without logits: recorded, not computed here"));
}

void CompressionReadout::showClasses(const Inspection& inspection) {
  const std::vector<std::string>& labels = inspection.model->info.labels;
  if (labels.empty()) {
    for (std::size_t side = 0; side < 2; ++side) {
      classes_[side]->setText(QStringLiteral("–"));
      probabilities_[side]->setText(QStringLiteral("–"));
    }
    showVerdict(QStringLiteral("info"), Tone::kMuted,
                tr("No classifier; embedding cosine %1")
                    .arg(number(embeddingCosine(*inspection.baseline, inspection.result), 3)));
    return;
  }
  const std::array<Prediction, 2> best{
      topPredictions(inspection.baseline->logits, labels, 1).front(),
      topPredictions(inspection.result.logits, labels, 1).front()};
  for (std::size_t side = 0; side < 2; ++side) {
    classes_[side]->setText(QString::fromStdString(best[side].label));
    probabilities_[side]->setText(percent(best[side].probability));
    classes_[side]->setToolTip(
        topFive(side == 0 ? *inspection.baseline : inspection.result, labels));
  }
  if (best[0].index == best[1].index) {
    showVerdict(QStringLiteral("check"), Tone::kGood, tr("Same class"));
  } else {
    showVerdict(QStringLiteral("warning"), Tone::kWarning, tr("Merging changes the class"));
  }
}

void CompressionReadout::clear() {
  for (std::size_t side = 0; side < 2; ++side) {
    flops_[side]->setText(QStringLiteral("–"));
    tokens_[side]->setText(QStringLiteral("–"));
    times_[side]->setText(QStringLiteral("–"));
    classes_[side]->setText(QStringLiteral("–"));
    probabilities_[side]->setText(QStringLiteral("–"));
  }
  // A dash beside a dash would say nothing more.
  whole_->clear();
  percent_->clear();
  showVerdict(QStringLiteral("info"), Tone::kMuted, tr("No result yet"));
}

void CompressionReadout::showVerdict(const QString& icon_name, Tone tone, const QString& text) {
  verdict_icon_->setPixmap(
      icon(icon_name, tone).pixmap(QSize(kIconSize, kIconSize), devicePixelRatioF()));
  verdict_->setText(text);
}

void CompressionReadout::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) setInspection(inspection_);
}

namespace {

/// From here on slider and read-outs stand side by side.
constexpr int kWide = 640;

}  // namespace

CompressionBar::CompressionBar(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      slider_(new CompressionSlider(workbench)),
      readout_(new CompressionReadout),
      layout_(new QBoxLayout(QBoxLayout::TopToBottom, this)) {
  layout_->setContentsMargins(12, 8, 12, 8);
  layout_->setSpacing(16);
  layout_->addWidget(slider_, 3, Qt::AlignTop);
  layout_->addWidget(readout_, 2, Qt::AlignTop);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  connect(slider_, &CompressionSlider::modeChanged, this, &CompressionBar::modeChanged);
  connect(&workbench_, &Workbench::activePaneChanged, this, &CompressionBar::bind);
  connect(&workbench_, &Workbench::paneCountChanged, this, &CompressionBar::arrange);
  bind();
}

CompressionMode CompressionBar::mode() const { return slider_->mode(); }

void CompressionBar::setMode(CompressionMode mode) { slider_->setMode(mode); }

void CompressionBar::bind() {
  if (pane_ != nullptr) disconnect(pane_, nullptr, this, nullptr);
  pane_ = &workbench_.activePane();
  const auto show = [this] { readout_->setInspection(pane_->inspection()); };
  connect(pane_, &Pane::inspectionChanged, this, show);
  show();
}

void CompressionBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void CompressionBar::setLow(bool low) {
  low_ = low;
  arrange();
}

void CompressionBar::arrange() {
  const bool wide = width() >= kWide;
  layout_->setDirection(wide ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
  layout_->setSpacing(low_ && !wide ? 6 : 16);
  readout_->setVisible(!low_ || workbench_.paneCount() == 1);
  readout_->setBrief(low_ && !wide);
}

}  // namespace adamerge::ui
