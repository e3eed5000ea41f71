// SPDX-License-Identifier: GPL-3.0-or-later
// Python's arrays into ArrayMerger, and what comes out of it as the package takes it.
#pragma once

#include <pybind11/pybind11.h>

#include "array_merger.h"

namespace adamerge::python {

/// The memory of an array, as long as it lives.
class View {
 public:
  /// Throws what Python says of an object without a buffer.
  explicit View(PyObject* keys);
  ~View() { PyBuffer_Release(&view_); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const Py_ssize_t* shape() const { return view_.shape; }
  /// One matrix of fp32 or fp64 without gaps, in the machine's order.
  bool isPlain() const;
  at::Tensor tensor() const;  ///< of a plain one
  /// [tokens, width], or [images, tokens, width]; `dtype` is float16, bfloat16 (as the integers of
  /// their bits, which buffers know), float32 or float64. Throws Error.
  at::Tensor tensor(const std::string& dtype) const;

 private:
  at::Tensor tensor(at::ScalarType type) const;

  Py_buffer view_{};
};

/// `keys` of one image, or of several with equal places: a MergedTokens, or a list. `groups`: see
/// ArrayMerger::before(); null: each patch is a token. Throws Error: another shape than the
/// merger's, numbers that are not finite.
pybind11::object merge(const ArrayMerger& merger, const at::Tensor& keys,
                       const std::vector<int>* groups);

/// One part, which docs/traces.md names. Throws KeyError.
pybind11::object partOf(const MergedTokens& merged, std::string_view name);
/// All parts.
pybind11::dict partsOf(const MergedTokens& merged);

}  // namespace adamerge::python
