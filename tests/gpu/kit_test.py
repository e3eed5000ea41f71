#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit itself, without a GPU: what it packs, what it makes of its tests, which LibTorch it takes.

  kit_test.py BUILD      BUILD: the folder of a build, with bin/gpu_tests and bin/merging_tests
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path()

sys.path.insert(0, str(HERE))
import bench  # noqa: E402
import kit  # noqa: E402


def run(*command: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, **options)


class InFolder(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="adamerge-kit-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)


class Packing(InFolder):
    def test_holds_a_project_that_configures_without_debians_packages(self) -> None:
        file = self.folder / "kit.tar.gz"
        done = run(sys.executable, HERE / "kit.py", "pack", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(file.stat().st_size, 30e6)
        with tarfile.open(file) as archive:
            names = archive.getnames()
            archive.extractall(self.folder)
        self.assertFalse([name for name in names if "__pycache__" in name or "/ui/" in name])
        root = self.folder / "adamerge-gpu-kit"
        prefix = os.environ.get("ADAMERGE_TORCH_PREFIX", "")
        configured = run("cmake", "--preset", "engine", "-S", root, "-B", self.folder / "build",
                         "-DADAMERGE_BUILD_TESTS=ON", "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
                         f"-DCMAKE_PREFIX_PATH={prefix}",
                         f"-DCMAKE_PROJECT_TOP_LEVEL_INCLUDES={root}/tests/gpu/dependencies.cmake",
                         cwd=root)
        self.assertEqual(configured.returncode, 0, configured.stderr)
        flags = (self.folder / "build" / "build.ninja").read_text()
        self.assertIn("third_party/include", flags)
        self.assertIn("third_party/googletest", flags)
        self.assertIn("libadamerge_bench.so", flags)
        self.assertNotIn("libgtest.a", flags)


class Running(InFolder):
    def kit(self, programs: Path, *options: str) -> tuple[int, list[dict], str]:
        done = run(sys.executable, HERE / "kit.py", "--device", "stand-in", "--built", programs,
                   "--out", self.folder / "out", *options)
        self.assertTrue(done.stdout, done.stderr)
        lines = (self.folder / "out" / "results.jsonl").read_text().splitlines()
        return done.returncode, [json.loads(line) for line in lines], done.stdout

    def test_runs_a_little_of_everything_here(self) -> None:
        status, entries, text = self.kit(BUILD / "bin", "--quick")
        self.assertEqual(status, 0, text)
        tests = {entry["test"]: entry["result"] for entry in entries if "test" in entry}
        self.assertEqual(tests["DeviceRuns.StopAfterTheBlockInHand"], "passed")
        self.assertGreaterEqual(list(tests.values()).count("passed"), 3)
        self.assertEqual(entries[0]["stage"], "machine")
        self.assertIn("gpu_tests: 2 passed", text)

    def test_tells_failures_crashes_and_what_was_not_built(self) -> None:
        programs = self.folder / "bin"
        programs.mkdir()
        fake = programs / "gpu_tests"
        fake.write_text("#!/bin/sh\n"
                        "echo '[ RUN      ] A.Good'; echo '[       OK ] A.Good (7 ms)'\n"
                        "echo '[ RUN      ] A.Bad'; echo 'x.cpp:3: Failure'\n"
                        "echo '[  FAILED  ] A.Bad, where GetParam() = 3 (9 ms)'\n"
                        "echo '[ RUN      ] A.Left'; echo '[  SKIPPED ] A.Left (0 ms)'\n"
                        "echo '[ RUN      ] A.Dies'; echo 'CUDA error'; kill -9 $$\n")
        fake.chmod(0o755)
        status, entries, text = self.kit(programs)
        self.assertEqual(status, 1)
        tests = {entry["test"]: entry for entry in entries if "test" in entry}
        self.assertEqual([tests["A." + name]["result"] for name in ("Good", "Bad", "Left", "Dies")],
                         ["passed", "failed", "skipped", "crashed"])
        self.assertEqual(tests["A.Bad"]["detail"], "x.cpp:3: Failure")
        self.assertEqual(tests["A.Dies"]["detail"], "CUDA error")
        self.assertIn("merging_tests: failed was not built", text)
        self.assertIn("crashed: A.Dies", text)

    def test_a_run_that_is_cut_leaves_what_it_had(self) -> None:
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("gpu_tests", "merging_tests", "weights_test"):
            (programs / name).write_text("#!/bin/sh\necho '[ RUN      ] A.Good'\n"
                                         "echo '[       OK ] A.Good (7 ms)'\n"
                                         "echo '[ RUN      ] A.Long'\nexec sleep 60\n")
            (programs / name).chmod(0o755)
        status, entries, _ = self.kit(programs, "--limit", "3", "--jobs", "1")
        self.assertEqual(status, 1)
        results = [(entry["test"], entry["result"]) for entry in entries if "test" in entry]
        self.assertEqual(results[:2], [("A.Good", "passed"), ("A.Long", "cut")])
        self.assertIn("cut: A.Long", (self.folder / "out" / "table.txt").read_text())


class LibTorch(InFolder):
    """FindLibTorch.cmake beside a LibTorch of the system's that has what the wanted one has."""

    def test_takes_all_of_the_one_that_is_asked_for(self) -> None:
        package = self.folder / "wanted" / "share" / "cmake" / "Torch"
        package.mkdir(parents=True)
        (self.folder / "wanted" / "lib").mkdir()
        for place in ("wanted/lib", "system/lib"):
            (self.folder / place).mkdir(parents=True, exist_ok=True)
            for name in ("torch", "c10"):
                (self.folder / place / f"lib{name}.so").touch()
        (package / "TorchConfig.cmake").write_text(
            'set(TORCH_INSTALL_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../..")\n'
            'find_library(TORCH_LIBRARY torch PATHS "${TORCH_INSTALL_PREFIX}/lib")\n'
            'find_library(c10_LIBRARY c10 PATHS "${TORCH_INSTALL_PREFIX}/lib")\n')
        (self.folder / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(Asks LANGUAGES CXX)\n"
            f"include({ROOT}/cmake/FindLibTorch.cmake)\n"
            'message(STATUS "TOOK ${TORCH_LIBRARY} ${c10_LIBRARY}")\n')
        done = run("cmake", "-S", self.folder, "-B", self.folder / "build",
                   f"-DCMAKE_PREFIX_PATH={self.folder}/wanted/share/cmake",
                   f"-DCMAKE_LIBRARY_PATH={self.folder}/system/lib")
        self.assertEqual(done.returncode, 0, done.stderr)
        lib = self.folder / "wanted" / "lib"
        took = [line for line in done.stdout.splitlines() if "TOOK" in line][0].split()[2:]
        self.assertEqual([os.path.realpath(file) for file in took],
                         [str(lib / "libtorch.so"), str(lib / "libc10.so")])
        self.assertIn(f"in {self.folder}/wanted", done.stdout)


class Table(unittest.TestCase):
    def test_marks_outputs_that_differ(self) -> None:
        outputs = {"bench": "outputs", "model": "m", "precision": "float32", "method": "tome",
                   "agrees": False, "largest_difference": 0.5, "smallest_cosine": 0.1}
        self.assertIn("OUTPUTS DIFFER: m float32 tome", bench.table([outputs]))
        self.assertTrue(kit.bad(outputs))

    def test_of_a_row_gives_speed_share_and_launches(self) -> None:
        row = {"bench": "row", "model": "m", "precision": "bfloat16", "batch": 256,
               "name": "ours, tome", "flops": 13.44, "milliseconds": {"median": 20.0},
               "images_per_second": 12800.0, "speed_over_our_unmerged": {"median": 1.25},
               "realised_flops_ratio": 0.96, "deciding_share": 0.04, "peak_bytes": 2**30,
               "profile": {"launches": 456, "synchronisations_per_block": 1.0}}
        line = bench.table([row]).splitlines()[-1].split()
        self.assertEqual(line, ["ours,", "tome", "20.00", "12800", "1.25", "13.44", "0.96", "4%",
                                "1024", "456", "1.0"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
