// SPDX-License-Identifier: GPL-3.0-or-later
// One step of the history: a pane's method and settings before and after.
#pragma once

#include <QUndoCommand>
#include <functional>

#include "adamerge/methods.h"

namespace adamerge::ui {

class ChoiceCommand : public QUndoCommand {
 public:
  using Apply = std::function<void(int pane, const MethodChoice& choice)>;

  /// Edits of the same pane with the same non-empty `key` and `session` become one step.
  ChoiceCommand(Apply apply, int pane, MethodChoice before, MethodChoice after, const QString& text,
                QString key, unsigned session);

  int id() const override { return 1; }
  void undo() override;
  void redo() override;
  bool mergeWith(const QUndoCommand* other) override;

 private:
  Apply apply_;
  int pane_;
  MethodChoice before_;
  MethodChoice after_;
  QString key_;
  unsigned session_;
};

}  // namespace adamerge::ui
