// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of what canvases show and of the overlay: checked, and kept as steps to undo.
#pragma once

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <functional>
#include <map>
#include <memory>

#include "adamerge/figures.h"
#include "adamerge/methods.h"
#include "bench/jobs.h"

namespace adamerge::ui {

class ViewState;
class Workbench;

class Edits : public QObject {
  Q_OBJECT
 public:
  /// Whether a choice is taken is found on `worker` where a file has to be read or the model run
  /// for it, else at once.
  Edits(Workbench& workbench, std::shared_ptr<Worker> worker);
  ~Edits() override;

  QUndoStack& history() { return history_; }
  /// Successive changes with the same non-empty `key` become one step until endEdit().
  void edit(int pane, const MethodChoice& choice, const QString& what, const QString& key);
  void endEdit() { ++session_; }
  /// Without a step in the history.
  void restore(int pane, const MethodChoice& choice);
  void editOverlay(ViewState& view, const OverlayStyle& before);

  /// Whether the pane's next choice is not known to be taken yet.
  bool isChecking(int pane) const { return waiting_.contains(pane); }
  /// Under another model.
  void checkAgain();

 signals:
  /// To be shown: new, undone or done again.
  void taken(int pane, const adamerge::MethodChoice& choice);
  void refused(int pane, const QString& message);
  /// isChecking() holds no longer; after taken() and refused().
  void checked(int pane);

 private:
  using Then = std::function<void(const MethodChoice&)>;
  struct Waiting {
    MethodChoice choice;
    Then then;
  };

  /// `then` gets what the model takes of it, unless a newer call for the pane comes before.
  void check(int pane, const MethodChoice& choice, const Then& then);

  Workbench& workbench_;
  QUndoStack history_;
  unsigned session_ = 0;
  std::map<int, Waiting> waiting_;  ///< by pane
  Jobs jobs_;
};

}  // namespace adamerge::ui
