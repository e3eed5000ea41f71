// SPDX-License-Identifier: GPL-3.0-or-later
// Arrays on their way to Python: type, shape and bytes, of which the package makes NumPy's. So the
// module suits any NumPy, and the same goes through a pipe.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace adamerge::python {

/// `columns` > 0: a matrix with so many.
template <typename T>
pybind11::tuple packed(const std::vector<T>& values, std::size_t columns = 0) {
  const char* const type = std::is_same_v<T, float>          ? "<f4"
                           : std::is_same_v<T, std::int64_t> ? "<i8"
                                                             : "<i4";
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, int> ||
                std::is_same_v<T, std::int64_t>);
  pybind11::tuple shape = columns == 0 ? pybind11::make_tuple(values.size())
                                       : pybind11::make_tuple(values.size() / columns, columns);
  return pybind11::make_tuple(
      "__array__", type, std::move(shape),
      pybind11::bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

/// None for what is empty.
template <typename T>
pybind11::object packedIfAny(const std::vector<T>& values) {
  return values.empty() ? pybind11::object(pybind11::none()) : packed(values);
}

}  // namespace adamerge::python
