// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the built `adamerge` as a user does and shows what came out.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "temporary_folder.h"

namespace adamerge::test {

struct RunLimits {
  std::filesystem::path folder{};           ///< current folder; empty: the test's
  std::filesystem::path standard_output{};  ///< a file or device in place of the pipe
  std::optional<std::chrono::milliseconds> interrupt_after = std::nullopt;  ///< of its CPU time
  std::chrono::seconds timeout{120};                                        ///< then SIGKILL
  std::optional<std::uint64_t> file_size = std::nullopt;  ///< larger files fail to be written
  bool unprivileged = false;                              ///< nobody, where the test is root
  /// Called again and again while the program runs, until it returns true.
  std::function<bool(pid_t program)> meanwhile{};
};

struct CliResult {
  int status = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
  std::chrono::duration<double> since_interrupt{0};

  std::vector<std::string> errorLines() const;
  /// The lines on standard error that are no warnings.
  std::vector<std::string> problems() const;
};

/// Says what main() of ADAMERGE_PROGRAM calls, where that is linked into the tests: adamergeCli()
/// then calls it in a child of its own, since a program that begins anew takes half a second to
/// load LibTorch.
struct LinkedProgram {
  explicit LinkedProgram(int (*program)(int argc, char** argv));
};

/// No shell: every argument arrives as it is. The first one is the program's path.
CliResult runProgram(std::vector<std::string> command, const RunLimits& limits = {});
/// Of the tiny bundled model, unless the arguments name one or run none.
CliResult adamergeCli(const std::vector<std::string>& arguments, const RunLimits& limits = {});

/// The arguments of adamergeCli() for a program that is started otherwise.
std::vector<std::string> withTinyModel(std::vector<std::string> arguments);

/// Who is nobody cannot start a program below a closed folder, such as a clone in root's home: the
/// first such folder above the program, empty where there is none.
std::filesystem::path folderClosedToNobody();

/// One sentence about one thing that is wrong, with each of `parts` in it.
void expectProblem(const CliResult& result, int status, const std::vector<std::string>& parts);
/// Status 0 and nothing on standard error but, where `warnings`, warnings.
void expectSuccess(const CliResult& result, bool warnings = false);

/// Names in a folder at any depth, hidden ones too, sorted.
std::vector<std::string> filesIn(const std::filesystem::path& folder);
std::string contentOf(const std::filesystem::path& path);
void writeText(const std::filesystem::path& path, const std::string& text);
nlohmann::json jsonIn(const std::filesystem::path& path);

std::string sample(const std::string& name);  ///< "bird" -> a path
std::string samplesFolder();
std::filesystem::path bundledModel();

/// A folder like the bundled model's, its weights linked, for a config.json of the test's own.
void makeModelFolder(const std::filesystem::path& folder, const std::string& config);

}  // namespace adamerge::test
