// SPDX-License-Identifier: GPL-3.0-or-later
// Files that a command writes: checked before the work starts, written when it is done.
#pragma once

#include <filesystem>
#include <string>

namespace adamerge::cli {

/// Throws Error where `path` can surely not be written: a folder, no permission, a file in the
/// place of one of its folders. Hours of work should not end there. `-` and an empty path pass.
void requireWritable(const std::string& path);

/// As requireWritable, and nothing but a regular file may be there already.
void requireWritableFile(const std::string& path);

/// The same for a folder of files. An empty path is the current folder.
void requireWritableFolder(const std::string& folder);

/// Whether `path` names a regular file: neither empty nor `-`, nor a pipe or device.
bool isFileOutput(const std::string& path);

/// `-` is standard output, a pipe or device is written to; anything else is written beside and
/// renamed.
void writeOutput(const std::string& path, const std::string& text);

/// What becomes of work that was interrupted, where `state` holds it.
std::string goesOnBy(const std::string& state);

/// Where there is one.
void removeFile(const std::string& path);

/// Throws Error where something printed did not arrive, on a full disk for example.
void flushStandardOutput();

}  // namespace adamerge::cli
