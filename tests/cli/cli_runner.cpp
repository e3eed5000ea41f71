// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "sanitized.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr uid_t kNobody = 65534;
constexpr int kCannotStart = 127;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  void closeWriting() { ::close(std::exchange(ends[1], -1)); }
};

int (*linked_program)(int argc, char** argv) = nullptr;

/// Where other threads run here, a child that goes on in this program's memory could wait for ever
/// for what they held.
bool canBeCalled(const RunLimits& limits) {
  if (linked_program == nullptr || kSanitized || limits.unprivileged) return false;
  return std::distance(fs::directory_iterator("/proc/self/task"), {}) == 1;
}

/// Like a new program: it has no open file but the three.
[[noreturn]] void callProgram(std::vector<char*>& arguments) {
  if (::close_range(STDERR_FILENO + 1, ~0U, 0) != 0) ::_exit(kCannotStart);
  const int status = linked_program(static_cast<int>(arguments.size()) - 1, arguments.data());
  std::fflush(nullptr);
  // What this program would do at its end is not the child's.
  ::_exit(status);
}

[[noreturn]] void becomeProgram(std::vector<char*>& arguments, const RunLimits& limits, int out,
                                int err, bool call) {
  const int null = ::open("/dev/null", O_RDONLY);
  if (!limits.standard_output.empty()) out = ::open(limits.standard_output.c_str(), O_WRONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (!limits.folder.empty() && ::chdir(limits.folder.c_str()) != 0) ::_exit(kCannotStart);
  if (limits.file_size) {
    const rlimit limit{*limits.file_size, *limits.file_size};
    ::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(kCannotStart);
  }
  if (limits.unprivileged && ::geteuid() == 0 &&
      (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
    ::_exit(kCannotStart);
  }
  if (call) callProgram(arguments);
  ::execv(arguments[0], arguments.data());
  ::_exit(kCannotStart);
}

/// False at the end of the stream.
bool take(int from, std::string& to) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  if (got > 0) to.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string line; std::getline(stream, line);) list.push_back(line);
  return list;
}

/// CPU time of a process: unlike the clock, it does not run on while the machine is busy elsewhere.
std::chrono::duration<double> computed(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // The name, in parentheses, may hold blanks; user and system time are fields 14 and 15.
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  for (int field = 3; field < 14; ++field) fields >> text;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return std::chrono::duration<double>((user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

/// Reads both streams until both end, interrupts and kills when it is time.
void follow(pid_t child, Pipe& out, Pipe& err, const RunLimits& limits, CliResult& result) {
  const auto start = Clock::now();
  std::optional<Clock::time_point> interrupted;
  bool waits_for_moment = static_cast<bool>(limits.meanwhile);
  std::array<pollfd, 2> streams{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    ::poll(streams.data(), streams.size(), 20);
    if (streams[0].revents != 0 && !take(streams[0].fd, result.out)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !take(streams[1].fd, result.err)) streams[1].fd = -1;
    if (waits_for_moment) waits_for_moment = !limits.meanwhile(child);
    const auto now = Clock::now();
    if (limits.interrupt_after && !interrupted &&
        computed(child) > kPace * *limits.interrupt_after) {
      ::kill(child, SIGINT);
      interrupted = now;
    }
    if (now - start > limits.timeout) {
      ADD_FAILURE() << "adamerge did not end";
      ::kill(child, SIGKILL);
      break;
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  if (interrupted) result.since_interrupt = Clock::now() - *interrupted;
}

CliResult run(std::vector<std::string> command, const RunLimits& limits, bool call) {
  std::vector<char*> pointers;
  for (std::string& text : command) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  Pipe out;
  Pipe err;
  // The child is to write nothing of what is written here.
  std::fflush(nullptr);
  std::cout.flush();
  const pid_t child = ::fork();
  if (child == 0) becomeProgram(pointers, limits, out.ends[1], err.ends[1], call);
  out.closeWriting();
  err.closeWriting();
  CliResult result;
  follow(child, out, err, limits, result);
  EXPECT_NE(result.status, kCannotStart);
  return result;
}

}  // namespace

LinkedProgram::LinkedProgram(int (*program)(int argc, char** argv)) { linked_program = program; }

std::vector<std::string> CliResult::errorLines() const { return lines(err); }

std::vector<std::string> CliResult::problems() const {
  std::vector<std::string> list = lines(err);
  std::erase_if(list, [](const auto& line) { return line.starts_with("adamerge: warning: "); });
  return list;
}

std::vector<std::string> withTinyModel(std::vector<std::string> arguments) {
  constexpr std::array<std::string_view, 7> kRun = {"info",     "inspect", "calibrate", "evaluate",
                                                    "pictures", "bench",   "schedule"};
  const auto names_one = [](const std::string& word) {
    return word.starts_with("--model") || word.starts_with("--architecture") ||
           word.starts_with("--compare");
  };
  if (arguments.empty() || std::find(kRun.begin(), kRun.end(), arguments.front()) == kRun.end() ||
      std::any_of(arguments.begin(), arguments.end(), names_one)) {
    return arguments;
  }
  // Before the others: a "--" may end them.
  arguments.insert(arguments.begin() + 1, {"--model", bundledModel().string()});
  return arguments;
}

CliResult adamergeCli(const std::vector<std::string>& arguments, const RunLimits& limits) {
  std::vector<std::string> command{ADAMERGE_PROGRAM};
  for (std::string& word : withTinyModel(arguments)) command.push_back(std::move(word));
  return run(std::move(command), limits, canBeCalled(limits));
}

CliResult runProgram(std::vector<std::string> command, const RunLimits& limits) {
  return run(std::move(command), limits, /*call=*/false);
}

fs::path folderClosedToNobody() {
  if (::geteuid() != 0) return {};
  fs::path folder;
  for (const fs::path& part : fs::path(ADAMERGE_PROGRAM).parent_path()) {
    folder /= part;
    const fs::perms open_to_others = fs::status(folder).permissions() & fs::perms::others_exec;
    if (open_to_others == fs::perms::none) return folder;
  }
  return {};
}

void expectProblem(const CliResult& result, int status, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.status, status) << result.err;
  const std::vector<std::string> problems = result.problems();
  ASSERT_EQ(problems.size(), 1U) << result.err;
  EXPECT_TRUE(problems[0].starts_with("adamerge: ")) << problems[0];
  EXPECT_LT(problems[0].size(), 600U) << problems[0];
  for (const std::string& part : parts) EXPECT_THAT(problems[0], testing::HasSubstr(part));
  for (const char* trace : {"frame #", "Exception raised", "terminate", "what()", ".cpp:"}) {
    EXPECT_THAT(result.err, testing::Not(testing::HasSubstr(trace)));
  }
}

void expectSuccess(const CliResult& result, bool warnings) {
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(warnings ? result.problems() : result.errorLines(), testing::IsEmpty());
}

std::vector<std::string> filesIn(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string contentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeText(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

nlohmann::json jsonIn(const fs::path& path) {
  auto json = nlohmann::json::parse(contentOf(path), nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(json.is_discarded()) << path;
  return json;
}

std::string samplesFolder() {
  return (fs::path(ADAMERGE_MODELS) / "../resources/samples").lexically_normal().string();
}

std::string sample(const std::string& name) {
  return (fs::path(samplesFolder()) / (name + ".png")).string();
}

fs::path bundledModel() { return fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10"; }

void makeModelFolder(const fs::path& folder, const std::string& config) {
  fs::create_directories(folder);
  fs::create_symlink(bundledModel() / "model.safetensors", folder / "model.safetensors");
  writeText(folder / "config.json", config);
}

}  // namespace adamerge::test
