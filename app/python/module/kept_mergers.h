// SPDX-License-Identifier: GPL-3.0-or-later
// The way of merge() that is gone most: plain settings, one NumPy array, asked for before. Few
// tokens merge in some tens of microseconds, beside which conversions and Python's own lines show.
#pragma once

#include <pybind11/pybind11.h>

namespace adamerge::python {

/// Adds to the module
///   merge_kept(method, keys, prefix, grid, block, depth, groups, settings): what merge() returns,
///     or None where it is to go the long way;
///   keep(merger, array, merged, settings, method, prefix, grid, block, depth): for the next such
///     call; `array` is NumPy's type, `merged` what wraps a MergedTokens.
/// `translate` sets Python's error for an exception.
void addKeptMergers(pybind11::module_& module, void (*translate)(const std::exception_ptr&));

}  // namespace adamerge::python
