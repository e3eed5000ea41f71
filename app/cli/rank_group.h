// SPDX-License-Identifier: GPL-3.0-or-later
// The processes that `mpirun -n K adamerge evaluate ...` started.
#pragma once

#include <memory>
#include <string>

#include "adamerge/evaluate.h"

namespace adamerge::cli {

/// Ends with all ranks together; rank 0 must have dismissed the others.
class RankGroup : public EvaluationRanks {
 public:
  /// CPU cores for this rank: those it may use, shared with the ranks of this machine that may too.
  virtual int cores() const = 0;
  /// Cores of this machine, and how many of them its ranks together may use.
  struct MachineCores {
    int all = 0;
    int usable = 0;
  };
  virtual MachineCores machineCores() const = 0;
  /// A rank is lost: the end is to wait for nobody, but to make mpirun end all that is left.
  virtual void abandon() = 0;
};

/// nullptr where this process is the only one. Throws Error where it is not, but the program was
/// built without MPI.
std::unique_ptr<RankGroup> joinRanks();

/// "Open MPI 4.1.4"; "no MPI".
std::string mpiVersion();

/// By the environment, before anything is joined: whether mpirun started this process, and as
/// another rank than the first.
bool startedAsRank();
bool isLaterRank();

}  // namespace adamerge::cli
