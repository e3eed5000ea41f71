// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <string_view>

#include "rank_group.h"

namespace adamerge::cli {
namespace {

/// As Open MPI's mpirun, and Slurm's srun, set them.
constexpr const char* kRankVariables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK"};

const char* rankText() {
  for (const char* variable : kRankVariables) {
    if (const char* text = std::getenv(variable)) return text;
  }
  return nullptr;
}

}  // namespace

bool startedAsRank() { return rankText() != nullptr; }

bool isLaterRank() { return startedAsRank() && std::string_view(rankText()) != "0"; }

}  // namespace adamerge::cli
