// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/edits.h"

#include <QUndoCommand>
#include <utility>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "bench/choices.h"
#include "bench/workbench.h"

namespace adamerge::ui {
namespace {

constexpr int kMostSteps = 500;

bool isSame(const MethodChoice& a, const MethodChoice& b) { return sameChoice(a, b); }
bool isSame(const OverlayStyle& a, const OverlayStyle& b) { return a == b; }

/// From one value to another; with the same non-empty key as the step before, one with it.
template <typename Value>
class Step : public QUndoCommand {
 public:
  using Apply = std::function<void(const Value&)>;

  Step(Apply apply, Value before, Value after, const QString& text, QString key)
      : QUndoCommand(text),
        apply_(std::move(apply)),
        before_(std::move(before)),
        after_(std::move(after)),
        key_(std::move(key)) {}

  int id() const override { return 1; }
  void undo() override { apply_(before_); }
  void redo() override { apply_(after_); }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = dynamic_cast<const Step*>(other);
    if (next == nullptr || key_.isEmpty() || next->key_ != key_) return false;
    after_ = next->after_;
    setText(next->text());
    setObsolete(isSame(before_, after_));
    return true;
  }

 private:
  Apply apply_;
  Value before_;
  Value after_;
  QString key_;
};

}  // namespace

Edits::Edits(Workbench& workbench, std::shared_ptr<Worker> worker)
    : workbench_(workbench), jobs_(this, std::move(worker)) {
  history_.setUndoLimit(kMostSteps);
}

Edits::~Edits() {
  // Its steps call back into this object.
  history_.clear();
}

void Edits::edit(int pane, const MethodChoice& choice, const QString& what, const QString& key) {
  const QString step =
      key.isEmpty() ? key : QStringLiteral("%1 %2 %3").arg(key).arg(pane).arg(session_);
  check(pane, choice, [this, pane, what, step](const MethodChoice& wanted) {
    const MethodChoice& before = workbench_.pane(pane).choice();
    if (sameChoice(wanted, before)) return;
    const auto take = [this, pane](const MethodChoice& to) { emit taken(pane, to); };
    history_.push(new Step<MethodChoice>(take, before, wanted, what, step));
  });
}

void Edits::restore(int pane, const MethodChoice& choice) {
  check(pane, choice, [this, pane](const MethodChoice& wanted) { emit taken(pane, wanted); });
}

void Edits::editOverlay(ViewState& view, const OverlayStyle& before) {
  OverlayStyle same = before;
  same.opacity = view.overlay().opacity;
  // Moves of the slider are one step.
  const QString key = same == view.overlay() ? QStringLiteral("opacity") : QString();
  history_.push(
      new Step<OverlayStyle>([&view](const OverlayStyle& style) { view.setOverlay(style); }, before,
                             view.overlay(), tr("overlay"), key));
}

void Edits::check(int pane, const MethodChoice& choice, const Then& then) {
  const std::string key = "check " + std::to_string(pane);
  jobs_.cancel(key);
  waiting_.erase(pane);
  const auto engine = workbench_.engine();
  try {
    const MethodChoice wanted = fitted(choice, workbench_.model().get());
    // What is set is taken, whatever its count.
    const bool known = sameButCompression(wanted, workbench_.pane(pane).choice());
    if (engine != nullptr && isSlowToPrepare(wanted) && !known) {
      waiting_[pane] = {choice, then};
      workbench_.pane(pane).setBusy(true);
      jobs_.run(
          key, Urgency::kInteractive,
          [this, pane, wanted, engine](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
            engine->prepare(wanted);
            tell([this, pane, wanted] {
              waiting_.extract(pane).mapped().then(wanted);
              emit checked(pane);
            });
          },
          [this, pane](const QString& message) {
            waiting_.erase(pane);
            emit refused(pane, message);
            emit checked(pane);
          });
      return;
    }
    if (engine != nullptr && !isSlowToPrepare(wanted)) engine->prepare(wanted);
    then(wanted);
  } catch (const Error& error) {
    emit refused(pane, errorText(error));
  }
}

void Edits::checkAgain() {
  for (const auto& [pane, waiting] : std::exchange(waiting_, {})) {
    check(pane, waiting.choice, waiting.then);
  }
}

}  // namespace adamerge::ui
