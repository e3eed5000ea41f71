// SPDX-License-Identifier: GPL-3.0-or-later
// Ranks over MPI. Only the thread that joined calls MPI, and nothing here waits for a message,
// since its sender may have died.
#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <thread>
#include <vector>

#include "adamerge/error.h"
#include "rank_group.h"

namespace adamerge::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{2};
/// mpirun passes on what a rank printed; once a job is being ended, not what it printed last.
constexpr std::chrono::milliseconds kToBePassedOn{200};

void require(int code) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(fmt::format("MPI: {}", text.data()));
}

class MpiGroup : public RankGroup {
 public:
  MpiGroup() {
    int provided = 0;
    require(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
    if (provided < MPI_THREAD_FUNNELED) {
      throw Error("MPI: this installation knows no threads (MPI_THREAD_FUNNELED)");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    require(MPI_Comm_rank(MPI_COMM_WORLD, &rank_));
    require(MPI_Comm_size(MPI_COMM_WORLD, &size_));
    shareCores();
  }

  ~MpiGroup() override {
    std::fflush(nullptr);
    if (rank_ == 0 || abandoned_) std::this_thread::sleep_for(kToBePassedOn);
    if (abandoned_) MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    try {
      meet();
    } catch (const Error&) {
      // The work is done or its failure told; there is nobody to tell this.
    }
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int cores() const override { return cores_; }
  MachineCores machineCores() const override { return machine_; }
  void abandon() override { abandoned_ = true; }

  void send(int to, const std::string& text) override {
    Outgoing& message = outgoing_.emplace_back(Outgoing{text, MPI_REQUEST_NULL});
    require(MPI_Isend(message.text.data(), static_cast<int>(message.text.size()), MPI_CHAR, to, 0,
                      MPI_COMM_WORLD, &message.request));
    forgetSent();
  }

  std::optional<Message> receive() override {
    forgetSent();
    int arrived = 0;
    if (request_ == MPI_REQUEST_NULL) {
      MPI_Message message = MPI_MESSAGE_NULL;
      MPI_Status status;
      require(MPI_Improbe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &arrived, &message, &status));
      if (arrived == 0) return std::nullopt;
      int length = 0;
      require(MPI_Get_count(&status, MPI_CHAR, &length));
      incoming_ = {status.MPI_SOURCE, std::string(static_cast<std::size_t>(length), '\0')};
      require(MPI_Imrecv(incoming_.text.data(), length, MPI_CHAR, &message, &request_));
    }
    require(MPI_Test(&request_, &arrived, MPI_STATUS_IGNORE));
    if (arrived == 0) return std::nullopt;
    return std::move(incoming_);
  }

 private:
  struct Outgoing {
    std::string text;
    MPI_Request request;
  };

  void forgetSent() {
    outgoing_.remove_if([](Outgoing& message) {
      int sent = 0;
      require(MPI_Test(&message.request, &sent, MPI_STATUS_IGNORE));
      return sent != 0;
    });
  }

  /// Each core counts for the ranks that mpirun bound to it, in equal parts.
  void shareCores() {
    MPI_Comm node = MPI_COMM_NULL;
    require(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node));
    int ranks = 0;
    require(MPI_Comm_size(node, &ranks));
    cpu_set_t own;
    CPU_ZERO(&own);
    ::sched_getaffinity(0, sizeof(own), &own);
    std::vector<cpu_set_t> sets(static_cast<std::size_t>(ranks));
    require(MPI_Allgather(&own, sizeof(own), MPI_BYTE, sets.data(), sizeof(own), MPI_BYTE, node));
    double share = 0;
    for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
      const auto users = std::count_if(sets.begin(), sets.end(), [&](const cpu_set_t& set) {
        return CPU_ISSET(core, &set) != 0;
      });
      if (users > 0) ++machine_.usable;
      if (CPU_ISSET(core, &own) != 0) share += 1.0 / static_cast<double>(users);
    }
    // A little more than the sum: thirds do not add up to one.
    cores_ = std::max(1, static_cast<int>(share + 1e-6));
    machine_.all = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    MPI_Comm_free(&node);
  }

  /// Waits for all ranks, idly: MPI's own waiting takes a whole core.
  void meet() {
    MPI_Request all = MPI_REQUEST_NULL;
    require(MPI_Ibarrier(MPI_COMM_WORLD, &all));
    for (int met = 0; met == 0;) {
      while (receive()) {
      }
      require(MPI_Test(&all, &met, MPI_STATUS_IGNORE));
      if (met == 0) std::this_thread::sleep_for(kPoll);
    }
  }

  int rank_ = 0;
  int size_ = 1;
  int cores_ = 1;
  MachineCores machine_;
  bool abandoned_ = false;
  std::list<Outgoing> outgoing_;
  Message incoming_;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

}  // namespace

std::unique_ptr<RankGroup> joinRanks() {
  if (!startedAsRank()) return nullptr;
  return std::make_unique<MpiGroup>();
}

std::string mpiVersion() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  // "Open MPI v4.1.4, package: ..., ident: ...".
  const std::string version(text.data(), static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

}  // namespace adamerge::cli
