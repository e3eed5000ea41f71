// SPDX-License-Identifier: GPL-3.0-or-later
// The controller: owns the computation and puts model, picture, panes and view together. Lives on
// the UI thread, which never computes; results come back by signals.
#pragma once

#include <QObject>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/methods.h"
#include "bench/calibration.h"
#include "bench/edits.h"
#include "bench/evaluation_task.h"
#include "bench/flops.h"
#include "bench/inspector.h"
#include "bench/lenses.h"
#include "bench/loaders.h"
#include "bench/pane.h"
#include "bench/sweeper.h"

namespace adamerge::ui {

/// How the compression slider is read.
enum class CompressionMode {
  kCount,   ///< r or r_max
  kFlops,   ///< G, `paper` convention
  kPercent  ///< FLOPs in % of the unmerged model
};

inline constexpr int kMostPanes = 4;

class Workbench : public QObject {
  Q_OBJECT
 public:
  explicit Workbench(QObject* parent = nullptr);
  ~Workbench() override;

  ViewState& view() { return view_; }
  QUndoStack& history() { return edits_->history(); }
  ModelLoader& models() { return *models_; }
  PictureLoader& pictures() { return *pictures_; }
  Sweeper& sweeper() { return *sweeper_; }
  CalibrationTask& calibration() { return *calibration_; }
  /// Stops by itself when the model, its device or its statistics change.
  EvaluationTask& evaluation() { return *evaluation_; }

  LoadedModelPtr model() const { return model_; }  ///< nullptr until the first is loaded
  PicturePtr picture() const { return picture_; }  ///< nullptr: none open
  /// A file that was to be shown and cannot be: its name, and why in a sentence.
  struct Unshown {
    QString name;
    QString why;
  };
  const std::optional<Unshown>& unshown() const { return unshown_; }
  /// Canvases that show a trace: its method is its own, and nothing is computed for them.
  const std::map<int, PicturePtr>& traces() const { return traces_; }
  bool showsTrace(int pane) const { return traces_.contains(pane); }
  /// Every canvas shows the result of its present choice.
  bool settled() const;
  /// The engine of model(), for tasks on their own threads (batch export, evaluation).
  std::shared_ptr<const Engine> engine() const;
  /// What useStatistics() put in place of the model's own; nullptr: nothing.
  std::shared_ptr<const Statistics> chosenStatistics() const { return chosen_statistics_; }
  /// Of the panes shown.
  std::vector<MethodChoice> shownChoices() const;

  int paneCount() const { return pane_count_; }  ///< shown: 1, 2 or 4
  Pane& pane(int index) { return *panes_[static_cast<std::size_t>(index)]; }
  Pane& activePane() { return pane(active_); }
  int activeIndex() const { return active_; }
  bool busy() const;  ///< any of the panes shown
  bool equalFlops() const { return equal_flops_; }

  /// Undoable. Successive edits with the same non-empty `key` become one step until endEdit().
  /// A choice that is not valid is refused with failed().
  /// What reads a file or runs the model to tell is known, and applied, a little later.
  void edit(int pane, const MethodChoice& choice, const QString& what, const QString& key = {});
  /// Whether an edit or restoreChoice() of this pane still waits for that.
  bool isChecking(int pane) const { return edits_->isChecking(pane); }
  void endEdit() { edits_->endEdit(); }
  /// edit() of the compression setting alone, clamped to its range. Without effect for a pane that
  /// follows the first one's FLOPs, as is setTargetFlops().
  void setCompression(int pane, int value);
  /// Sets the value of the compression setting whose `paper` FLOPs for the present picture come
  /// nearest to `target` (G): at once where the sweep knows, else computed in the background.
  void setTargetFlops(int pane, double target);
  /// As edit(), without a step in the history: for sessions and the command line.
  void restoreChoice(int pane, const MethodChoice& choice) { edits_->restore(pane, choice); }

 public slots:
  void setPaneCount(int count);
  void setActivePane(int index);
  /// The other panes' compression follows the first pane's FLOPs.
  void setEqualFlops(bool on);
  /// Back to those that came with the model.
  void useOwnStatistics();
  /// Takes statistics for the present model (calibrated here or read from a file). They stay while
  /// the same model is loaded again, as for another device.
  void useStatistics(std::shared_ptr<const adamerge::Statistics> statistics);
  /// A pasted picture or a frame of a video: the next frame of a stream waits until the results of
  /// the one shown are drawn, and is dropped where a newer one comes.
  void showPicture(adamerge::ui::PicturePtr picture);
  void closePicture();
  /// In place of the picture: nothing of the one before stays under the name of another.
  void showUnreadable(const QString& name, const QString& why);
  /// Says so by failed().
  void report(const QString& message) { emit failed(message); }

 signals:
  void modelChanged();
  void pictureChanged();
  /// Of which canvases show a trace, or of which.
  void tracesChanged();
  void paneCountChanged(int count);
  void activePaneChanged(int index);
  void equalFlopsChanged(bool on);
  /// The pane's choice stays; failed() has said why.
  void choiceRefused(int pane);
  /// One sentence for the message bar: of this class and of both loaders.
  void failed(const QString& message);

 private:
  void connectParts();
  void adoptLoaded(const std::shared_ptr<Engine>& engine, LoadedModelPtr model);
  void adoptModel(std::shared_ptr<Engine> engine, LoadedModelPtr model);
  void setStatistics(std::shared_ptr<const Statistics> used,
                     std::shared_ptr<const Statistics> chosen);
  void adoptPicture(PicturePtr picture, bool keep_results);
  bool placeTrace(const PicturePtr& picture);
  void showDepth();
  void received(int pane, const InspectionPtr& inspection);
  void refused(int pane, const QString& message);
  void takeNextFrame();

  void take(int pane, const MethodChoice& choice);
  void apply(int pane, const MethodChoice& choice, Urgency urgency);
  void request(Pane& pane, Urgency urgency);
  void requestAll();
  void release(Pane& pane);
  MethodChoice firstChoice(int pane) const;
  bool follows(int pane) const { return equal_flops_ && pane != 0; }
  /// Matches the pane to the first one's FLOPs if it is to follow.
  void follow(int pane);

  ViewState view_;
  std::vector<std::unique_ptr<Pane>> panes_;
  int pane_count_ = 1;
  int active_ = 0;
  bool equal_flops_ = false;
  std::set<int> shown_before_{0};  ///< panes that have a choice of their own
  std::set<int> unmatched_;        ///< panes to be matched to the first one's FLOPs once
  LoadedModelPtr model_;
  std::shared_ptr<const Statistics> own_statistics_;
  std::shared_ptr<const Statistics> chosen_statistics_;
  PicturePtr picture_;
  PicturePtr next_frame_;
  std::optional<Unshown> unshown_;
  std::map<int, PicturePtr> traces_;  ///< by canvas
  std::shared_ptr<Worker> worker_;
  std::unique_ptr<ModelLoader> models_;
  std::unique_ptr<PictureLoader> pictures_;
  std::unique_ptr<Inspector> inspector_;
  std::unique_ptr<Sweeper> sweeper_;
  std::unique_ptr<Lenses> lenses_;
  std::unique_ptr<CalibrationTask> calibration_;
  std::unique_ptr<EvaluationTask> evaluation_;
  std::unique_ptr<FlopsMatcher> matcher_;
  std::unique_ptr<Edits> edits_;
};

}  // namespace adamerge::ui
