// SPDX-License-Identifier: GPL-3.0-or-later
// Looks at what an evaluation would do before it is started: how many images there are, what is
// wrong with them, how long it may take.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "compute/evaluation_request.h"

namespace adamerge {
class Engine;
}

namespace adamerge::ui {

struct EvaluationSurvey {
  std::size_t images = 0;  ///< to be measured
  std::size_t total = 0;   ///< in the set
  double seconds = 0;      ///< it may take; 0: not known yet
  QString problem;         ///< a sentence: why nothing can be measured; empty: nothing
};

class EvaluationSurveyor : public QObject {
  Q_OBJECT
 public:
  explicit EvaluationSurveyor(QObject* parent = nullptr);
  ~EvaluationSurveyor() override;

  /// The newest request counts.
  void survey(std::shared_ptr<const Engine> engine, const EvaluationRequest& request);
  void drop();

 signals:
  /// Once the images are counted, and again once a few have been timed.
  void surveyed(const adamerge::ui::EvaluationSurvey& survey);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui
