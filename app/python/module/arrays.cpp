// SPDX-License-Identifier: GPL-3.0-or-later
#include "arrays.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "calls.h"
#include "kernels/parallel.h"
#include "packed.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

/// So many tokens merge before a person could press Ctrl-C, and before threads would pay.
constexpr std::int64_t kFewTokens = 1024;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 4> kTypes{
    {{"float32", at::kFloat},
     {"float64", at::kDouble},
     {"float16", at::kHalf},
     {"bfloat16", at::kBFloat16}}};

/// Of each image; without Python's lock, and where it takes long, stopped by Ctrl-C.
std::vector<MergedTokens> mergeAll(const ArrayMerger& merger, const at::Tensor& tokens,
                                   const ArrayMerger::Before& before) {
  const bool several = tokens.dim() == 3;
  std::vector<MergedTokens> merged(several ? static_cast<std::size_t>(tokens.size(0)) : 1);
  const auto work = [&](const std::stop_token& stop) {
    const StopWithin within(stop);
    for (std::size_t i = 0; i < merged.size(); ++i) {
      throwIfStopped(stop);
      merged[i] = merger.merge(several ? tokens[static_cast<std::int64_t>(i)] : tokens, before);
    }
  };
  if (static_cast<std::int64_t>(merged.size()) * merger.shape().count > kFewTokens) {
    runCall(work);
    return merged;
  }
  // A team of OpenMP's would be the calling thread's, and a fork's child would wait for it.
  const py::gil_scoped_release released;
  const LibTorchAside alone(1);
  work({});
  return merged;
}

struct Part {
  std::string_view name;
  py::object (*get)(const MergedTokens& merged);
};

const std::array<Part, 9> kParts{{
    {"groups", [](const MergedTokens& merged) -> py::object { return packed(merged.groups); }},
    {"sizes", [](const MergedTokens& merged) -> py::object { return packed(merged.sizes); }},
    {"order", [](const MergedTokens& merged) -> py::object { return packed(merged.plan.order); }},
    {"positions",
     [](const MergedTokens& merged) -> py::object { return packed(merged.positions); }},
    {"merges",
     [](const MergedTokens& merged) -> py::object {
       std::vector<std::int64_t> pairs;
       for (const PlannedMerge& merge : merged.plan.merges) {
         pairs.insert(pairs.end(), {merge.source, merge.destination});
       }
       return packed(pairs, 2);
     }},
    {"similarity",
     [](const MergedTokens& merged) -> py::object {
       std::vector<float> scores;
       for (const PlannedMerge& merge : merged.plan.merges) scores.push_back(merge.similarity);
       return packed(scores);
     }},
    {"dropped",
     [](const MergedTokens& merged) -> py::object {
       std::vector<std::int64_t> positions;
       for (const PlannedDrop& drop : merged.plan.dropped) positions.push_back(drop.position);
       return packed(positions);
     }},
    {"salience",
     [](const MergedTokens& merged) -> py::object { return packedIfAny(merged.plan.salience); }},
    {"redundancy",
     [](const MergedTokens& merged) -> py::object { return py::cast(merged.plan.redundancy); }},
}};

}  // namespace

View::View(PyObject* keys) {
  if (PyObject_GetBuffer(keys, &view_, PyBUF_STRIDED_RO | PyBUF_FORMAT) != 0) {
    throw py::error_already_set();
  }
}

bool View::isPlain() const {
  const char* const format = view_.format;
  return view_.ndim == 2 && view_.shape[0] > 0 && view_.shape[1] > 0 && format != nullptr &&
         (*format == 'f' || *format == 'd') && format[1] == '\0' &&
         PyBuffer_IsContiguous(&view_, 'C') != 0;
}

at::Tensor View::tensor() const { return tensor(*view_.format == 'f' ? at::kFloat : at::kDouble); }

at::Tensor View::tensor(const std::string& dtype) const {
  const auto* const type = std::find_if(kTypes.begin(), kTypes.end(),
                                        [&](const auto& known) { return known.first == dtype; });
  if (type == kTypes.end() ||
      view_.itemsize != static_cast<Py_ssize_t>(at::elementSize(type->second)) ||
      (view_.ndim != 2 && view_.ndim != 3)) {
    throw Error(fmt::format("an array of {} axes and {} bytes a number is no matrix of {}",
                            view_.ndim, view_.itemsize, dtype));
  }
  return tensor(type->second);
}

at::Tensor View::tensor(at::ScalarType type) const {
  std::array<std::int64_t, 3> sizes{};
  std::array<std::int64_t, 3> strides{};
  const auto axes = static_cast<std::size_t>(view_.ndim);
  for (std::size_t i = 0; i < axes; ++i) {
    sizes[i] = view_.shape[i];
    strides[i] = view_.strides[i] / view_.itemsize;
  }
  return at::from_blob(view_.buf, {sizes.data(), axes}, {strides.data(), axes},
                       at::TensorOptions(type));
}

py::object merge(const ArrayMerger& merger, const at::Tensor& keys,
                 const std::vector<int>* groups) {
  const TokenShape& shape = merger.shape();
  if (keys.size(-2) != shape.count || keys.size(-1) != shape.width) {
    throw Error(
        fmt::format("keys of shape [{}] are not the {} tokens of width {} that the method "
                    "was made for",
                    fmt::join(keys.sizes(), ", "), shape.count, shape.width));
  }
  std::vector<MergedTokens> merged = groups != nullptr
                                         ? mergeAll(merger, keys, merger.before(*groups))
                                         : mergeAll(merger, keys, merger.nothingBefore());
  if (keys.dim() == 2) return py::cast(std::move(merged.front()));
  py::list images;
  for (MergedTokens& image : merged) images.append(py::cast(std::move(image)));
  return images;
}

py::object partOf(const MergedTokens& merged, std::string_view name) {
  for (const Part& part : kParts) {
    if (part.name == name) return part.get(merged);
  }
  throw py::key_error(std::string(name));
}

py::dict partsOf(const MergedTokens& merged) {
  py::dict parts;
  for (const Part& part : kParts) parts[py::str(std::string(part.name))] = part.get(merged);
  return parts;
}

}  // namespace adamerge::python
