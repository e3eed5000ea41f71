// SPDX-License-Identifier: GPL-3.0-or-later
// The module adamerge._core: what the package's Python calls, and the exceptions it throws.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <memory>
#include <new>

#include "arrays.h"
#include "kept_mergers.h"
#include "model.h"
#include "program.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

/// The package's adamerge.Error, once it said so.
PyObject* error_type = PyExc_RuntimeError;

void translate(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const py::builtin_exception&) {
    throw;
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, "not enough memory");
  } catch (const std::exception& error) {
    PyErr_SetString(error_type, cli::failureText(error).c_str());
  }
}

}  // namespace
}  // namespace adamerge::python

PYBIND11_MODULE(_core, module) {
  namespace py = pybind11;
  using namespace adamerge::python;  // NOLINT(google-build-using-namespace)
  module.doc() = "The core of AdaMerge Studio; the package adamerge is what people use.";
  module.attr("version") = ADAMERGE_VERSION;
  py::register_exception_translator(
      [](std::exception_ptr thrown) {  // NOLINT(performance-unnecessary-value-param)
        if (thrown) translate(thrown);
      });
  module.def("set_error", [](const py::object& type) { error_type = type.inc_ref().ptr(); });
  module.def("torch_version", &adamerge::torchVersion);
  py::class_<MergedTokens>(module, "Merged").def("__getitem__", &partOf).def("parts", &partsOf);
  module.def("check_groups", &checkGroups);
  py::class_<ArrayMerger>(module, "Merger")
      .def(py::init([](const std::string& method, const adamerge::cli::WrittenSettings& settings,
                       std::int64_t count, std::int64_t width, std::int64_t patches, int prefix,
                       const std::optional<std::pair<int, int>>& grid, int block, int depth) {
        return std::make_unique<ArrayMerger>(method, settings, TokenShape{count, width, patches},
                                             MergePlace{prefix, grid, block, depth});
      }))
      .def_property_readonly("reads_file", &ArrayMerger::readsFile)
      .def("__call__", [](const ArrayMerger& merger, const py::buffer& keys,
                          const std::string& dtype, const std::optional<std::vector<int>>& groups) {
        const View view(keys.ptr());
        return merge(merger, view.tensor(dtype), groups ? &*groups : nullptr);
      });
  addKeptMergers(module, &translate);

  py::class_<Run>(module, "Run")
      .def("json", &Run::json)
      .def("blocks", &Run::blocks)
      .def("block", &Run::block)
      .def("logits", &Run::logits)
      .def("embedding", &Run::embedding)
      .def("flops", &Run::flops)
      .def("warnings", &Run::warnings)
      .def("write_figures", &Run::writeFigures)
      .def("write_trace", [](const Run& run, const std::string& path) { run.writeTrace(path); });
  py::class_<EvaluationRun>(module, "Evaluation")
      .def("next", &EvaluationRun::next)
      .def("warnings", &EvaluationRun::warnings)
      .def("stop", &EvaluationRun::stop);
  py::class_<Model>(module, "Model")
      .def(py::init<Arguments>())
      .def("json", &Model::json)
      .def("device", &Model::device)
      .def("dtype", &Model::dtype)
      .def("warnings", &Model::warnings)
      .def("inspect", &Model::inspect)
      .def("evaluate", &Model::evaluate)
      .def("calibrate", &Model::calibrate);
}
