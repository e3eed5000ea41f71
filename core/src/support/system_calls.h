// SPDX-License-Identifier: GPL-3.0-or-later
// The calls by which files of ours are written and read, so that a test can make them fail.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace adamerge {

/// The kernel's, unless a test has put its own in their place.
struct SystemCalls {
  ssize_t (*read)(int descriptor, void* bytes, std::size_t count) = ::read;
  ssize_t (*write)(int descriptor, const void* bytes, std::size_t count) = ::write;
  int (*fsync)(int descriptor) = ::fsync;
  int (*close)(int descriptor) = ::close;
  int (*rename)(const char* from, const char* to) = std::rename;
};

inline SystemCalls system_calls;

}  // namespace adamerge
