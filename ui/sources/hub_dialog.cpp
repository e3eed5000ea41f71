// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/hub_dialog.h"

#include <QCheckBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr int kSteps = 1000;  ///< of the bar: bytes may exceed what it can count
enum Column { kName, kSize, kModel };

/// "12 blocks, width 768, 224 × 224, 1,000 classes".
QString shapeText(const VitConfig& vit) {
  return QObject::tr("%1 blocks, width %2, %3 × %4, %5")
      .arg(vit.depth)
      .arg(vit.dim)
      .arg(vit.input_width)
      .arg(vit.input_height)
      .arg(vit.classes > 0 ? counted(vit.classes, "%1 class", "%1 classes")
                           : QObject::tr("no classifier"));
}

}  // namespace

QString byteText(qint64 bytes) {
  constexpr double kMega = 1e6;
  constexpr double kGiga = 1e9;
  const auto size = static_cast<double>(bytes);
  constexpr double kKilo = 1e3;
  if (size >= kGiga) return QStringLiteral("%1 GB").arg(size / kGiga, 0, 'f', 2);
  if (bytes > 0 && size < kMega) return QStringLiteral("%1 kB").arg(size / kKilo, 0, 'f', 0);
  return QStringLiteral("%1 MB").arg(size / kMega, 0, 'f', size < 100 * kMega ? 1 : 0);
}

HubDialog::HubDialog(QWidget* parent)
    : FittingDialog(parent),
      name_(new QLineEdit),
      heading_(new QLabel(tr("Looking into the cache…"))),
      list_(new QTreeWidget),
      place_(new ElidedLabel),
      ask_hub_(new QCheckBox(tr("Ask the &hub even where the cache has the model"))),
      bar_(new QProgressBar),
      progress_(new QLabel),
      notice_(new MessageLine(MessageLine::Buttons::kBelow)),
      close_(new QPushButton(tr("Close"))),
      open_(new QPushButton(tr("Open"))) {
  setWindowTitle(tr("Open model by name"));
  layOut();
  connect(name_, &QLineEdit::textEdited, this, &HubDialog::filter);
  // What was offered or said was of another name.
  connect(name_, &QLineEdit::textChanged, this, [this] {
    models_.cancel();
    notice_->clear();
    setState(State::kIdle);
  });
  const auto take = [this](const QTreeWidgetItem* item) {
    if (item != nullptr && !busy()) name_->setText(item->text(kName));
  };
  connect(list_, &QTreeWidget::currentItemChanged, this, take);
  connect(list_, &QTreeWidget::itemClicked, this, take);
  connect(list_, &QTreeWidget::itemActivated, this, [this, take](const QTreeWidgetItem* item) {
    take(item);
    start();
  });
  connect(close_, &QPushButton::clicked, this, &HubDialog::reject);
  connect(open_, &QPushButton::clicked, this, &HubDialog::start);
  connectModels();
  setState(State::kIdle);
  models_.list();
}

void HubDialog::layOut() {
  auto* purpose = new QLabel(
      tr("A model of the Hugging Face hub: OWNER/NAME, OWNER/NAME@REVISION, timm's "
         "hf-hub:OWNER/NAME or the address of its page. What the cache lacks is fetched once its "
         "size is known and you agree."));
  purpose->setWordWrap(true);
  makeCaption(*purpose);
  name_->setObjectName(QStringLiteral("hub-name"));
  name_->setPlaceholderText(QStringLiteral("google/vit-base-patch16-224"));
  name_->setClearButtonEnabled(true);
  auto* label = new QLabel(tr("&Name"));
  label->setBuddy(name_);
  heading_->setObjectName(QStringLiteral("hub-heading"));
  heading_->setWordWrap(true);
  makeCaption(*heading_);
  list_->setObjectName(QStringLiteral("hub-list"));
  list_->setAccessibleName(tr("Models in the cache"));
  list_->setHeaderLabels({tr("Name"), tr("Size"), tr("Model")});
  list_->setRootIsDecorated(false);
  list_->setUniformRowHeights(true);
  list_->setTextElideMode(Qt::ElideMiddle);
  list_->header()->setStretchLastSection(true);
  list_->setMinimumHeight(6 * (fontMetrics().height() + 8));
  place_->setObjectName(QStringLiteral("hub-place"));
  place_->setElideMode(Qt::ElideMiddle);
  makeCaption(*place_);
  ask_hub_->setObjectName(QStringLiteral("hub-ask"));
  ask_hub_->setToolTip(tr("Fetches what is new of a branch, and mends damaged files."));
  bar_->setObjectName(QStringLiteral("hub-bar"));
  bar_->setTextVisible(false);
  bar_->setFixedHeight(8);
  bar_->setAccessibleName(tr("Fetching of the model"));
  progress_->setObjectName(QStringLiteral("hub-progress"));
  makeCaption(*progress_);
  open_->setObjectName(QStringLiteral("hub-open"));
  close_->setObjectName(QStringLiteral("hub-close"));
  close_->setAutoDefault(false);
  open_->setDefault(true);

  auto* name = new QHBoxLayout;
  name->setSpacing(12);
  name->addWidget(label);
  name->addWidget(name_, 1);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(ask_hub_);
  buttons->addStretch(1);
  buttons->addWidget(close_);
  buttons->addWidget(open_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(10);
  layout->addWidget(purpose);
  layout->addLayout(name);
  layout->addWidget(heading_);
  layout->addWidget(list_, 1);
  layout->addWidget(place_);
  layout->addWidget(bar_);
  layout->addWidget(progress_);
  layout->addWidget(notice_);
  layout->addLayout(buttons);
  setMinimumWidth(520);
  resize(720, 460);
}

void HubDialog::connectModels() {
  connect(&models_, &HubModels::listed, this, &HubDialog::showCache);
  connect(&models_, &HubModels::asking, this,
          [this](const QString& endpoint) { progress_->setText(tr("Asking %1…").arg(endpoint)); });
  connect(&models_, &HubModels::offered, this, &HubDialog::offer);
  connect(&models_, &HubModels::progressed, this, &HubDialog::progress);
  connect(&models_, &HubModels::found, this, [this](const std::filesystem::path& model) {
    setState(State::kIdle);
    emit chosen(model);
    accept();
  });
  connect(&models_, &HubModels::failed, this, [this](const QString& message) {
    setState(State::kIdle);
    notice_->show(Severity::kError, message);
    name_->setFocus();
  });
}

void HubDialog::setState(State state) {
  state_ = state;
  name_->setEnabled(!busy());
  list_->setEnabled(!busy());
  ask_hub_->setEnabled(!busy());
  bar_->setVisible(busy());
  progress_->setVisible(busy());
  open_->setText(state == State::kOffered ? fetch_ : tr("Open"));
  open_->setEnabled(!busy() && !name_->text().trimmed().isEmpty());
  close_->setText(busy() ? tr("Cancel") : tr("Close"));
}

void HubDialog::showCache(const HubCache& cache) {
  list_->clear();
  if (!cache.problem.isEmpty()) return heading_->setText(cache.problem);
  qint64 running = 0;
  for (const hub::CachedModel& model : cache.models) {
    auto* item = new QTreeWidgetItem(list_);
    const QString name = QString::fromStdString(model.name.text());
    const QString problem = QString::fromStdString(model.problem);
    item->setText(kName, name);
    item->setText(kSize, byteText(model.bytes));
    item->setTextAlignment(kSize, Qt::AlignRight | Qt::AlignVCenter);
    item->setText(kModel,
                  model.info ? shapeText(model.info->vit) : tr("does not run: %1").arg(problem));
    item->setToolTip(kName, name);
    item->setToolTip(kModel, item->text(kModel));
    running += model.info ? 1 : 0;
  }
  heading_->setText(
      cache.models.empty()
          ? tr("The cache is empty. What is fetched stays there, for other programs too.")
          : tr("%1 in the cache, %2 of them can run")
                .arg(counted(static_cast<qint64>(cache.models.size()), "%1 model", "%1 models"))
                .arg(running));
  place_->setText(tr("Cache %1 · %2")
                      .arg(cache.folder, cache.offline ? tr("the network is off (HF_HUB_OFFLINE)")
                                                       : tr("hub %1").arg(cache.endpoint)));
  list_->resizeColumnToContents(kSize);
  list_->resizeColumnToContents(kName);
  constexpr int kRoom = 16;
  list_->setColumnWidth(kName, std::min(list_->columnWidth(kName) + kRoom, list_->width() / 2));
  filter(name_->text());
}

void HubDialog::filter(const QString& text) {
  for (int row = 0; row < list_->topLevelItemCount(); ++row) {
    QTreeWidgetItem* item = list_->topLevelItem(row);
    item->setHidden(!item->text(kName).contains(text.trimmed(), Qt::CaseInsensitive));
  }
}

void HubDialog::start() {
  if (busy() || name_->text().trimmed().isEmpty()) return;
  const bool agreed = state_ == State::kOffered;
  notice_->clear();
  bar_->setRange(0, 0);
  progress_->setText(agreed ? tr("Fetching…") : tr("Looking into the cache…"));
  setState(agreed ? State::kFetching : State::kLooking);
  if (agreed) {
    models_.fetch();
  } else {
    models_.look(name_->text(), ask_hub_->isChecked());
  }
}

void HubDialog::offer(const HubOffer& offer) {
  const hub::Plan& plan = offer.plan;
  fetch_ = tr("Fetch %1").arg(byteText(plan.missing));
  setState(State::kOffered);
  QString text = tr("%1 is not whole in the cache. %2 are to be fetched from %3 into %4.")
                     .arg(QString::fromStdString(plan.name.text()), byteText(plan.missing),
                          offer.endpoint, offer.folder);
  // Configs are, to know what the model is.
  if (plan.bytes - plan.missing > plan.bytes / 100) {
    text += tr(" %1 of it are here already.").arg(byteText(plan.bytes - plan.missing));
  }
  notice_->show(Severity::kInfo, text);
  open_->setFocus();
}

void HubDialog::progress(const HubProgress& progress) {
  if (!busy()) return;
  state_ = State::kFetching;
  if (!progress.waiting.isEmpty()) {
    bar_->setRange(0, 0);
    progress_->setText(tr("Waiting: %1").arg(progress.waiting));
    return;
  }
  bar_->setRange(0, kSteps);
  bar_->setValue(static_cast<int>(progress.done * kSteps / std::max<qint64>(progress.total, 1)));
  QString text = tr("%1 of %2").arg(byteText(progress.done), byteText(progress.total));
  if (progress.rate > 0) {
    text +=
        tr(" · %1/s · %2 left")
            .arg(byteText(static_cast<qint64>(progress.rate)), clockTime(progress.seconds_left));
  }
  progress_->setText(text);
}

void HubDialog::reject() {
  if (!busy()) {
    QDialog::reject();
    return;
  }
  const bool fetching = state_ == State::kFetching;
  models_.cancel();
  setState(State::kIdle);
  notice_->show(Severity::kInfo, fetching
                                     ? tr("Cancelled. What has arrived is kept; fetching goes on "
                                          "there next time.")
                                     : tr("Cancelled."));
  name_->setFocus();
}

}  // namespace adamerge::ui
