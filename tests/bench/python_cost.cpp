// SPDX-License-Identifier: GPL-3.0-or-later
// What the package's merge() and inspect() cost without Python around them: python_cost.py runs
// both in turns.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <ctime>
#include <memory>

#include "adamerge/image.h"
#include "array_merger.h"
#include "inspection.h"
#include "kernels/parallel.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

double now(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// [tokens, width] of fp32, without gaps.
struct Merging {
  Merging(const std::string& method, const cli::WrittenSettings& settings, std::int64_t count,
          std::int64_t width, const MergePlace& place)
      : merger(method, settings, {count, width, count - place.prefix}, place) {}

  double seconds(const py::buffer& keys, int times) const {
    const py::buffer_info info = keys.request();
    const TokenShape& shape = merger.shape();
    const double begin = now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < times; ++i) {
      const LibTorchAside alone(1);
      merger.merge(at::from_blob(info.ptr, {shape.count, shape.width}, at::kFloat),
                   merger.nothingBefore());
    }
    return (now(CLOCK_THREAD_CPUTIME_ID) - begin) / times;
  }

  ArrayMerger merger;
};

struct Inspecting {
  Inspecting(const std::string& folder, int threads)
      : engine(Engine::load(folder, {.dtype = "float32", .threads = threads})) {}

  double seconds(const std::string& image, const std::string& method,
                 const cli::WrittenSettings& settings) const {
    const double begin = now(CLOCK_PROCESS_CPUTIME_ID);
    const cli::Inspection inspection(engine, cli::writtenChoice(method, settings), std::nullopt,
                                     {});
    inspection.inspect(image, loadImage(image), {});
    return now(CLOCK_PROCESS_CPUTIME_ID) - begin;
  }

  Engine engine;
};

}  // namespace
}  // namespace adamerge::python

PYBIND11_MODULE(_cost, module) {
  namespace py = pybind11;
  using adamerge::python::Inspecting;
  using adamerge::python::Merging;
  py::class_<Merging>(module, "Merging")
      .def(py::init([](const std::string& method, const adamerge::cli::WrittenSettings& settings,
                       std::int64_t count, std::int64_t width, int block) {
        return std::make_unique<Merging>(
            method, settings, count, width,
            adamerge::python::MergePlace{.prefix = 1, .grid = {}, .block = block, .depth = 12});
      }))
      .def("seconds", &Merging::seconds);
  py::class_<Inspecting>(module, "Inspecting")
      .def(py::init<const std::string&, int>())
      .def("seconds", &Inspecting::seconds);
}
