// SPDX-License-Identifier: GPL-3.0-or-later
// The module adamerge._core: what the package's Python calls, and the exceptions it throws.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <new>

#include "arrays.h"
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
  module.def(
      "merge",
      [](const py::buffer& keys, const std::string& dtype, const std::string& method,
         const adamerge::cli::WrittenSettings& settings, int prefix,
         const std::optional<std::pair<int, int>>& grid, int block, int depth,
         const std::optional<std::vector<int>>& groups) {
        return merge(keys, dtype, method, settings, {prefix, grid, block, depth, groups});
      },
      py::arg("keys"), py::arg("dtype"), py::arg("method"), py::arg("settings"), py::arg("prefix"),
      py::arg("grid"), py::arg("block"), py::arg("depth"), py::arg("groups"));

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
