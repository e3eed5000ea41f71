// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/choice_command.h"

#include <utility>

#include "compute/choice_family.h"

namespace adamerge::ui {

ChoiceCommand::ChoiceCommand(Apply apply, int pane, MethodChoice before, MethodChoice after,
                             const QString& text, QString key, unsigned session)
    : QUndoCommand(text),
      apply_(std::move(apply)),
      pane_(pane),
      before_(std::move(before)),
      after_(std::move(after)),
      key_(std::move(key)),
      session_(session) {}

void ChoiceCommand::undo() { apply_(pane_, before_); }

void ChoiceCommand::redo() { apply_(pane_, after_); }

bool ChoiceCommand::mergeWith(const QUndoCommand* other) {
  const auto* next = static_cast<const ChoiceCommand*>(other);
  if (key_.isEmpty() || next->key_ != key_ || next->pane_ != pane_ || next->session_ != session_) {
    return false;
  }
  after_ = next->after_;
  setText(next->text());
  setObsolete(sameChoice(before_, after_));
  return true;
}

}  // namespace adamerge::ui
