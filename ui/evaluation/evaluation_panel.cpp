// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/evaluation_panel.h"

#include <QButtonGroup>
#include <QFormLayout>
#include <QScrollArea>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <initializer_list>
#include <vector>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/workbench.h"
#include "evaluation/classes_page.h"
#include "evaluation/fields.h"
#include "evaluation/gallery_page.h"
#include "evaluation/results_page.h"
#include "evaluation/run_bar.h"
#include "look/message.h"
#include "look/widgets.h"
#include "sources/recent.h"

namespace adamerge::ui {
namespace {

constexpr int kMargin = 12;
constexpr int kSurveyDelay = 400;  ///< ms after the last key
constexpr int kPanes = 4;
constexpr QSize kUsualSize{340, 480};

/// Two forms one below the other, their fields in one column.
void alignFields(std::initializer_list<QWidget*> forms) {
  std::vector<QWidget*> labels;
  int widest = 0;
  for (const QWidget* form : forms) {
    const auto* layout = qobject_cast<QFormLayout*>(form->layout());
    for (int row = 0; row < layout->rowCount(); ++row) {
      const QLayoutItem* item = layout->itemAt(row, QFormLayout::LabelRole);
      if (item == nullptr || item->widget() == nullptr) continue;
      labels.push_back(item->widget());
      widest = std::max(widest, item->widget()->sizeHint().width());
    }
  }
  for (QWidget* label : labels) label->setMinimumWidth(widest);
}

}  // namespace

EvaluationPanel::EvaluationPanel(Workbench& workbench, RecentList& recent, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      recent_(recent),
      data_(new DataFields(recent)),
      points_(new PointFields),
      results_(new ResultsPage),
      tabs_(new QButtonGroup(this)),
      pages_(new QStackedWidget),
      notice_(new MessageLine(MessageLine::Buttons::kBelow)),
      run_(new RunBar) {
  setObjectName(QStringLiteral("evaluation-panel"));
  layOut();
  survey_delay_.setSingleShot(true);
  survey_delay_.setInterval(kSurveyDelay);
  connect(&survey_delay_, &QTimer::timeout, this, [this] {
    if (request_ && isVisible() && !workbench_.evaluation().running()) {
      surveyor_.survey(workbench_.engine(), *request_);
    }
  });
  connect(&surveyor_, &EvaluationSurveyor::surveyed, this, [this](const EvaluationSurvey& survey) {
    survey_ = survey;
    if (!survey.problem.isEmpty()) notice_->show(Severity::kError, survey.problem);
    offer();
  });
  connect(data_, &DataFields::changed, this, &EvaluationPanel::refresh);
  connect(points_, &PointFields::changed, this, &EvaluationPanel::refresh);
  connect(run_, &RunBar::startRequested, this, [this] { start(/*anew=*/false); });
  connect(run_, &RunBar::anewRequested, this, [this] { start(/*anew=*/true); });
  connect(run_, &RunBar::stopRequested, this, [this] {
    run_->setStopping();
    workbench_.evaluation().stop();
  });
  connect(results_, &ResultsPage::saved, this, &EvaluationPanel::saved);
  connect(results_, &ResultsPage::chosen, this, [this](const MethodChoice& choice) {
    workbench_.edit(workbench_.activeIndex(), choice, tr("setting of the results"));
    workbench_.endEdit();
  });
  connectWorkbench();
  setSetup(EvaluationSetup::standard());
}

void EvaluationPanel::layOut() {
  fields_ = new QWidget;
  auto* fields = new QVBoxLayout(fields_);
  fields->setContentsMargins(kMargin, 4, kMargin, 4);
  fields->setSpacing(8);
  fields->addWidget(data_);
  fields->addWidget(points_);
  fields->addStretch(1);
  alignFields({data_, points_});
  auto* scroll = new QScrollArea;
  scroll->setWidget(fields_);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  pages_->insertWidget(kSettings, scroll);
  pages_->insertWidget(kResults, results_);
  addGallery();
  auto* foot = new QVBoxLayout;
  foot->setContentsMargins(kMargin, 0, kMargin, 8);
  foot->setSpacing(6);
  foot->addWidget(notice_);
  foot->addWidget(run_);
  auto* layout = tightLayout<QVBoxLayout>(this, 4);
  layout->addWidget(makeTabs());
  layout->addWidget(pages_, 1);
  layout->addLayout(foot);
}

/// What merging did to each image, and to each class.
void EvaluationPanel::addGallery() {
  auto* classes = new ClassesPage(gallery_);
  auto* page = new GalleryPage(workbench_, gallery_);
  pages_->insertWidget(kClasses, classes);
  pages_->insertWidget(kGallery, page);
  connect(classes, &ClassesPage::galleryWanted, this, [this] { showPage(kGallery); });
  connect(page, &GalleryPage::sheetMade, this, &EvaluationPanel::sheetMade);
  connect(page, &GalleryPage::pictureChosen, this,
          [this](const ImagePlace& place, const MethodChoice& choice) {
            workbench_.edit(workbench_.activeIndex(), choice, tr("setting of the gallery"));
            workbench_.endEdit();
            emit pictureChosen(place);
          });
}

QWidget* EvaluationPanel::makeTabs() {
  auto* bar = new QWidget;
  auto* layout = new QHBoxLayout(bar);
  layout->setContentsMargins(kMargin - 2, 6, kMargin, 0);
  layout->setSpacing(4);
  const auto add = [&](Page page, const QString& text, const char* name) {
    auto* tab = new QToolButton;
    tab->setObjectName(QString::fromLatin1(name));
    tab->setText(text);
    tab->setCheckable(true);
    tabs_->addButton(tab, page);
    layout->addWidget(tab);
  };
  add(kSettings, tr("Settings"), "evaluation-settings-tab");
  add(kResults, tr("Results"), "evaluation-results-tab");
  add(kClasses, tr("Classes"), "evaluation-classes-tab");
  add(kGallery, tr("Gallery"), "evaluation-gallery-tab");
  layout->addStretch(1);
  tabs_->button(kSettings)->setChecked(true);
  connect(tabs_, &QButtonGroup::idToggled, this, [this](int page, bool on) {
    if (on) pages_->setCurrentIndex(page);
  });
  return bar;
}

void EvaluationPanel::connectWorkbench() {
  EvaluationTask& task = workbench_.evaluation();
  connect(&task, &EvaluationTask::preparing, run_, &RunBar::setText);
  connect(&task, &EvaluationTask::progressed, this, &EvaluationPanel::showProgress);
  connect(&task, &EvaluationTask::measured, results_, &ResultsPage::setReport);
  connect(&task, &EvaluationTask::ended, this, &EvaluationPanel::finish);
  connect(&task, &EvaluationTask::refused, this, [this](const QString& message) {
    tell(Severity::kError, message,
         {{tr("Start anew"), [this] { start(/*anew=*/true); }, tr("Throws away what was kept")}});
  });
  connect(&task, &EvaluationTask::failed, this,
          [this](const QString& message) { tell(Severity::kError, message); });
  connect(&workbench_, &Workbench::modelChanged, this, [this] {
    points_->suggestFor(*workbench_.model());
    refresh();
  });
  const auto follow = [this] {
    if (setup().canvases) refresh();
  };
  for (int pane = 0; pane < kPanes; ++pane) {
    connect(&workbench_.pane(pane), &Pane::choiceChanged, this, follow);
  }
  connect(&workbench_, &Workbench::paneCountChanged, this, follow);
}

EvaluationSetup EvaluationPanel::setup() const {
  EvaluationSetup setup;
  data_->read(setup);
  points_->read(setup);
  return setup;
}

void EvaluationPanel::setSetup(const EvaluationSetup& setup) {
  if (workbench_.evaluation().running()) return;
  data_->show(setup);
  points_->show(setup);
  if (workbench_.model() != nullptr) points_->suggestFor(*workbench_.model());
  refresh();
}

QSize EvaluationPanel::sizeHint() const { return kUsualSize; }

void EvaluationPanel::showPage(Page page) { tabs_->button(page)->setChecked(true); }

/// What the fields ask for, read anew.
void EvaluationPanel::refresh() {
  request_.reset();
  problem_.clear();
  survey_ = {};
  surveyor_.drop();
  const LoadedModelPtr model = workbench_.model();
  try {
    if (model == nullptr) throw Error(tr("Open a model first.").toStdString());
    request_ = makeRequest(setup(), workbench_.shownChoices(), model->info.vit);
    request_->state = stateFile(*request_, *model);
  } catch (const Error& error) {
    request_.reset();
    problem_ = errorText(error);
  }
  if (workbench_.evaluation().running()) return;
  notice_->clear();
  offer();
  if (request_) survey_delay_.start();
}

void EvaluationPanel::offer() {
  std::error_code code;
  const bool kept = request_ && std::filesystem::exists(request_->state, code);
  const bool finished = kept && request_->state == finished_;
  run_->offer(kept, finished, problem_);
  if (workbench_.evaluation().running()) return;
  run_->setText(!problem_.isEmpty() ? problem_ : finished ? QString() : plan());
}

QString EvaluationPanel::plan() const {
  return request_ ? describePlan(pointCount(*request_), survey_) : QString();
}

void EvaluationPanel::start(bool anew) {
  const LoadedModelPtr model = workbench_.model();
  if (!request_ || model == nullptr || workbench_.evaluation().running()) return;
  surveyor_.drop();
  notice_->clear();
  recent_.add(request_->data);
  results_->setReport(nullptr);
  results_->setCommand(equivalentCommand(setup(), *model));
  model_ = model->id;
  clock_.start();
  tidyStates();
  EvaluationRequest request = *request_;
  request.anew = anew;
  workbench_.evaluation().start(workbench_.engine(), request);
  setRunning(true);
  showPage(kResults);
}

void EvaluationPanel::setRunning(bool running) {
  fields_->setEnabled(!running);
  run_->setRunning(running);
  if (running) run_->setProgress(0, 0);
}

void EvaluationPanel::showProgress(qint64 done, qint64 total, double images_per_second,
                                   double seconds_left) {
  run_->setProgress(done, total);
  if (workbench_.evaluation().stopping()) return;
  run_->setText(describeProgress(done, total, images_per_second, seconds_left));
}

void EvaluationPanel::finish(const EvaluationReportPtr& report) {
  if (report == nullptr) {
    tell(Severity::kInfo, tr("Stopped before anything was measured."));
    return;
  }
  results_->setReport(report);
  if (!report->pictures.empty()) gallery_.open(report->pictures);
  const Evaluation& evaluation = report->evaluation;
  if (evaluation.complete()) finished_ = workbench_.evaluation().request().state;
  const LoadedModelPtr model = workbench_.model();
  const bool changed = model != nullptr && model->id != model_;
  const Severity severity = evaluation.complete() ? Severity::kSuccess
                            : changed             ? Severity::kWarning
                                                  : Severity::kInfo;
  tell(severity, describeEnd(evaluation, static_cast<double>(clock_.elapsed()) / 1000, changed));
}

/// The task is over, and why.
void EvaluationPanel::tell(Severity severity, const QString& text,
                           std::vector<MessageAction> actions) {
  setRunning(false);
  refresh();
  notice_->show(severity, text, std::move(actions));
  if (!isSeen(*this)) emit told(severity, text);
}

void EvaluationPanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (request_ && survey_.total == 0) survey_delay_.start();
}

}  // namespace adamerge::ui
