// SPDX-License-Identifier: GPL-3.0-or-later
#include "output_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge::cli {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::strerror(code); }

/// A pipe or a device: nothing to rename onto.
bool isStream(const std::string& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

void writeStream(const std::string& path, const std::string& text) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    throw Error(fmt::format("{}: cannot be written: {}", path, reason(errno)));
  }
}

}  // namespace

void requireWritableFolder(const std::string& folder) {
  std::error_code code;
  fs::path existing = folder.empty() ? fs::path(".") : fs::path(folder);
  while (!fs::exists(existing, code)) {
    if (code && code != std::errc::no_such_file_or_directory &&
        code != std::errc::not_a_directory) {
      throw Error(fmt::format("{}: cannot be written: {}", folder, code.message()));
    }
    existing = existing.has_parent_path() && existing.parent_path() != existing
                   ? existing.parent_path()
                   : fs::path(".");
  }
  if (!fs::is_directory(existing, code)) {
    throw Error(fmt::format("{}: a folder is expected, but {} is a file", folder,
                            existing == fs::path(folder) ? "this" : existing.string()));
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    throw Error(
        fmt::format("{}: cannot be written: {}", folder.empty() ? "." : folder, reason(errno)));
  }
}

void requireWritable(const std::string& path) {
  if (path.empty() || path == "-" || isStream(path)) return;
  std::error_code code;
  if (fs::is_directory(path, code) || path.back() == '/') {
    throw Error(fmt::format("{}: this is a folder; a file name to write is expected", path));
  }
  try {
    requireWritableFolder(behindLinks(path).parent_path().string());
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(text.starts_with(path) ? text
                                       : fmt::format("{}: cannot be written: {}", path, text));
  }
}

void requireWritableFile(const std::string& path) {
  if (isStream(path)) {
    throw Error(fmt::format("{}: not a regular file; a file name to write is expected", path));
  }
  requireWritable(path);
}

bool isFileOutput(const std::string& path) {
  return !path.empty() && path != "-" && !isStream(path);
}

void writeOutput(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    flushStandardOutput();
  } else if (isStream(path)) {
    flushStandardOutput();
    writeStream(path, text);
  } else {
    writeFileAtomically(path, text);
  }
}

std::string goesOnBy(const std::string& state) {
  return fmt::format("the same command goes on from there, by what {} holds", state);
}

void removeFile(const std::string& path) {
  std::error_code gone_already;
  if (!path.empty()) std::filesystem::remove(path, gone_already);
}

void flushStandardOutput() {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    throw Error(fmt::format("standard output cannot be written: {}", reason(errno)));
  }
}

}  // namespace adamerge::cli
