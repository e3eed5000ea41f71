// SPDX-License-Identifier: GPL-3.0-or-later
// The program without MPI.
#include "adamerge/error.h"
#include "rank_group.h"

namespace adamerge::cli {

std::unique_ptr<RankGroup> joinRanks() {
  if (!startedAsRank()) return nullptr;
  throw Error(
      "started by mpirun, but this program was built without MPI, so that every rank would do all "
      "the work; build it again with libopenmpi-dev installed, or start it without mpirun");
}

std::string mpiVersion() { return "no MPI"; }

}  // namespace adamerge::cli
