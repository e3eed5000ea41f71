// SPDX-License-Identifier: GPL-3.0-or-later
// Measures accuracy against FLOPs on images of the user's: what, how far, and with what result.
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>
#include <filesystem>
#include <optional>

#include "bench/evaluation.h"
#include "bench/evaluation_task.h"
#include "bench/gallery.h"
#include "look/message.h"

class QButtonGroup;
class QStackedWidget;

namespace adamerge::ui {

class DataFields;
class MessageLine;
class PointFields;
class RecentList;
class ResultsPage;
class RunBar;
class Workbench;

class EvaluationPanel : public QWidget {
  Q_OBJECT
 public:
  /// `recent`: the sets that were measured on; must outlive this, as must `workbench`.
  EvaluationPanel(Workbench& workbench, RecentList& recent, QWidget* parent = nullptr);

  EvaluationSetup setup() const;
  void setSetup(const EvaluationSetup& setup);
  ResultsPage& results() { return *results_; }
  Gallery& gallery() { return gallery_; }
  QSize sizeHint() const override;

 signals:
  /// One of the gallery is to be seen on the canvas with the setting.
  void pictureChosen(const adamerge::ImagePlace& place);
  void sheetMade(const adamerge::ui::GallerySheet& sheet);
  void saved(const std::filesystem::path& path);
  /// What the panel says while nobody sees it.
  void told(adamerge::ui::Severity severity, const QString& text);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  enum Page { kSettings, kResults, kClasses, kGallery };

  void layOut();
  void addGallery();
  QWidget* makeTabs();
  void connectWorkbench();
  void showPage(Page page);
  void refresh();
  void offer();
  void start(bool anew);
  void showProgress(qint64 done, qint64 total, double images_per_second, double seconds_left);
  void finish(const EvaluationReportPtr& report);
  void tell(Severity severity, const QString& text, std::vector<MessageAction> actions = {});
  void setRunning(bool running);
  QString plan() const;

  Workbench& workbench_;
  RecentList& recent_;
  EvaluationSurveyor surveyor_;
  Gallery gallery_;
  QTimer survey_delay_;
  QElapsedTimer clock_;
  std::optional<EvaluationRequest>
      request_;      ///< what the fields ask for; nullopt: nothing that can be
  QString problem_;  ///< why not
  EvaluationSurvey survey_;
  std::uint64_t model_ = 0;         ///< of the evaluation that runs
  std::filesystem::path finished_;  ///< state of the evaluation that was completed here
  QWidget* fields_ = nullptr;
  DataFields* data_;
  PointFields* points_;
  ResultsPage* results_;
  QButtonGroup* tabs_;
  QStackedWidget* pages_;
  MessageLine* notice_;
  RunBar* run_;
};

}  // namespace adamerge::ui
