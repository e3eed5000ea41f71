// SPDX-License-Identifier: GPL-3.0-or-later
// Canvases at a wanted number of FLOPs.
#pragma once

#include <QObject>
#include <QString>
#include <map>

#include "adamerge/methods.h"
#include "bench/inspector.h"
#include "bench/pane.h"
#include "bench/sweeper.h"

namespace adamerge::ui {

class Workbench;

/// Finds which compression of a pane costs a wanted number of FLOPs on the present picture.
class FlopsMatcher : public QObject {
  Q_OBJECT
 public:
  enum class Purpose {
    kUser,   ///< asked for by the user: a step of the history
    kFollow  ///< keeps a pane at the first one's FLOPs
  };

  FlopsMatcher(Inspector& inspector, Sweeper& sweeper, QObject* parent = nullptr);

  /// found() comes at once where the pane's sweep knows, else after a search in the background.
  /// Without effect for methods without compression.
  void match(const Pane& pane, const PicturePtr& picture, double target, Purpose purpose);
  /// Nothing is searched for this pane any more.
  void forget(int pane);

 signals:
  /// `choice`: the pane's when match() was called, with the value found.
  void found(int pane, const adamerge::MethodChoice& choice,
             adamerge::ui::FlopsMatcher::Purpose purpose);

 private:
  struct Wanted {
    MethodChoice choice;
    Purpose purpose;
  };

  Inspector& inspector_;
  Sweeper& sweeper_;
  std::map<int, Wanted> wanted_;
};

/// Why canvas `index` is not at the first one's FLOPs though it is to follow them, in a few words;
/// empty: it is, or need not be.
QString unequalFlops(Workbench& workbench, int index);

}  // namespace adamerge::ui
