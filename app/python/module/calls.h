// SPDX-License-Identifier: GPL-3.0-or-later
// Long calls from Python: without its lock, and ended by Ctrl-C.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace adamerge::python {

/// Runs `work` with Python's lock released. From the main thread it runs on a thread of its own,
/// while this one looks for signals: a handler that raises, as Ctrl-C's does, stops the work, and
/// what it raised is thrown. That thread alone has OpenMP's team, so that a fork of the main
/// thread, whose child has none of the team's threads, computes with one of its own. Throws what
/// `work` throws.
void runCall(const std::function<void(const std::stop_token&)>& work);

/// The same with a result.
template <typename Work>
auto call(const Work& work) {
  std::optional<decltype(work(std::stop_token()))> result;
  runCall([&](const std::stop_token& stop) { result.emplace(work(stop)); });
  return std::move(*result);
}

}  // namespace adamerge::python
