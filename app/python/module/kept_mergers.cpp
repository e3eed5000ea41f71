// SPDX-License-Identifier: GPL-3.0-or-later
#include "kept_mergers.h"

#include <algorithm>
#include <array>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include "arrays.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

constexpr std::size_t kMostKept = 32;

/// The arguments of merge_kept().
enum Argument { kMethod, kKeys, kPrefix, kGrid, kBlock, kDepth, kGroups, kSettings, kArguments };

/// What a call names beside the keys, in order.
using Named = std::vector<py::object>;

Named named(PyObject* const* arguments) {
  Named list;
  for (const Argument argument : {kMethod, kPrefix, kGrid, kBlock, kDepth}) {
    list.push_back(py::reinterpret_borrow<py::object>(arguments[argument]));
  }
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(arguments[kSettings], &at, &key, &value) != 0;) {
    list.push_back(py::reinterpret_borrow<py::object>(key));
    list.push_back(py::reinterpret_borrow<py::object>(value));
  }
  return list;
}

/// Of a type whose values never change.
bool isPlain(const py::object& value) {
  const PyTypeObject* const type = Py_TYPE(value.ptr());
  return value.is_none() || type == &PyUnicode_Type || type == &PyLong_Type ||
         type == &PyFloat_Type || type == &PyBool_Type;
}

/// Equal values of other types are others: 8.0 is no count.
bool same(PyObject* a, PyObject* b) {
  return a == b || (Py_TYPE(a) == Py_TYPE(b) && PyObject_RichCompareBool(a, b, Py_EQ) == 1);
}

struct Kept {
  Named named;
  py::object merger;
  const ArrayMerger* made = nullptr;

  bool isFor(PyObject* const* arguments) const {
    std::size_t at = 0;
    for (const Argument argument : {kMethod, kPrefix, kGrid, kBlock, kDepth}) {
      if (!same(named[at++].ptr(), arguments[argument])) return false;
    }
    PyObject* key = nullptr;
    PyObject* value = nullptr;
    for (Py_ssize_t place = 0; PyDict_Next(arguments[kSettings], &place, &key, &value) != 0;) {
      if (at + 2 > named.size() || !same(named[at].ptr(), key) ||
          !same(named[at + 1].ptr(), value)) {
        return false;
      }
      at += 2;
    }
    return at == named.size();
  }
};

/// Of the process, with Python's lock. Never destroyed: Python may end before.
struct Mergers {
  std::deque<Kept> kept;  ///< the last made first
  py::object array;
  py::object merged;
  py::object told = py::reinterpret_steal<py::object>(PyUnicode_InternFromString("_told"));
  void (*translate)(const std::exception_ptr&) = nullptr;
};

Mergers& mergers() {
  static auto& all = *new Mergers;
  return all;
}

PyObject* mergeKept(PyObject* /*module*/, PyObject* const* arguments, Py_ssize_t count) {
  const Mergers& all = mergers();
  PyObject* const keys = count == kArguments ? arguments[kKeys] : nullptr;
  if (keys == nullptr || reinterpret_cast<PyObject*>(Py_TYPE(keys)) != all.array.ptr() ||
      arguments[kGroups] != Py_None) {
    Py_RETURN_NONE;
  }
  try {
    const View view(keys);
    if (!view.isPlain()) Py_RETURN_NONE;
    for (const Kept& kept : all.kept) {
      const TokenShape& shape = kept.made->shape();
      if (shape.count != view.shape()[0] || shape.width != view.shape()[1] ||
          !kept.isFor(arguments)) {
        continue;
      }
      const py::object held = kept.merger;  // others may push it out meanwhile
      const py::object result = merge(*kept.made, view.tensor(), nullptr);
      // Without its __init__, which would be a good part of the time.
      auto* const type = reinterpret_cast<PyTypeObject*>(all.merged.ptr());
      auto merged = py::reinterpret_steal<py::object>(type->tp_alloc(type, 0));
      if (!merged || PyObject_SetAttr(merged.ptr(), all.told.ptr(), result.ptr()) != 0) {
        throw py::error_already_set();
      }
      return merged.release().ptr();
    }
  } catch (py::error_already_set& error) {
    error.restore();
    return nullptr;
  } catch (const py::builtin_exception& error) {
    error.set_error();
    return nullptr;
  } catch (...) {
    all.translate(std::current_exception());
    return nullptr;
  }
  Py_RETURN_NONE;
}

/// `said`: method, prefix, grid, block, depth.
void keep(const py::object& merger, const py::type& array, const py::type& merged,
          const py::dict& settings, const py::args& said) {
  const auto* const made = merger.cast<const ArrayMerger*>();
  if (made->readsFile()) return;  // which may change
  std::array<PyObject*, kArguments> arguments{};
  std::size_t at = 0;
  for (const Argument argument : {kMethod, kPrefix, kGrid, kBlock, kDepth}) {
    arguments[argument] = said[at++].ptr();
  }
  arguments[kSettings] = settings.ptr();
  Named list = named(arguments.data());
  Mergers& all = mergers();
  const bool known = std::any_of(all.kept.begin(), all.kept.end(), [&](const Kept& kept) {
    return kept.made == made && kept.isFor(arguments.data());
  });
  if (known || !std::all_of(list.begin(), list.end(), isPlain)) return;
  all.array = array;
  all.merged = merged;
  all.kept.push_front({std::move(list), merger, made});
  if (all.kept.size() > kMostKept) all.kept.pop_back();
}

}  // namespace

void addKeptMergers(py::module_& module, void (*translate)(const std::exception_ptr&)) {
  static std::array<PyMethodDef, 2> functions{
      {{"merge_kept",
        reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&mergeKept)),  // NOLINT
        METH_FASTCALL, nullptr},
       {nullptr, nullptr, 0, nullptr}}};
  mergers().translate = translate;
  if (PyModule_AddFunctions(module.ptr(), functions.data()) != 0) throw py::error_already_set();
  module.def("keep", &keep);
}

}  // namespace adamerge::python
