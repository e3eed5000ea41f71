#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether the engine is right and how fast it is on a machine with a GPU.

  kit.py pack FILE.tar.gz       what the other machine needs, in one archive (make gpu-kit)
  kit.py                        there, in the unpacked archive: build, test, measure

The other machine needs Linux, Python with PyTorch 2.1 or newer, CMake 3.25, ninja or make and a C++
compiler and zlib's headers; the engine is built against that PyTorch's own LibTorch. All that
becomes known is written at once, a line of JSON each, to OUT/results.jsonl, and as text to OUT/table.txt, so that a run that
is cut short tells what it had found. The exit status is 0 where nothing failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LARGEST = 30 * 10**6

# Of the project, what the engine, its tests and the bundled model take.
PACKED = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "cmake", "core", "models/vit-tiny-cifar10",
          "tests/CMakeLists.txt", "tests/data", "tests/gpu", "tests/kernels", "tests/merging",
          "tests/model", "tests/support", "tests/weights")
# Of Debian's packages nlohmann-json3-dev, libfmt-dev and googletest, from -> to.
THIRD_PARTY = {"/usr/include/nlohmann": "include/nlohmann", "/usr/include/fmt": "include/fmt",
               "/usr/src/googletest": "googletest"}

# The rest checks what no device changes; for --quick, what a few seconds suffice for.
PROGRAMS = ("gpu_tests", "merging_tests", "weights_test")
QUICK = {"gpu_tests": "DeviceRuns.StopAfter*:*HalfPrecision*bfloat16", "merging_tests": "PaddingTest.*"}

ABOUT = """
import json, torch
gpu = torch.cuda.is_available()
print(json.dumps({
    "pytorch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
    "prefix": torch.utils.cmake_prefix_path, "new_abi": torch.compiled_with_cxx11_abi(),
    "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if gpu else [],
    "capability": torch.cuda.get_device_capability() if gpu else None,
    "memory": torch.cuda.get_device_properties(0).total_memory if gpu else None}))
"""


def pack(file: Path) -> int:
    missing = [source for source in THIRD_PARTY if not Path(source).is_dir()]
    if missing:
        print(f"kit.py: {missing[0]} is not there; Debian's nlohmann-json3-dev, libfmt-dev and "
              "googletest have what the kit takes along", file=sys.stderr)
        return 1

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return None if "__pycache__" in entry.name else entry

    partial = file.with_name(file.name + ".part")
    with tarfile.open(partial, "w:gz", dereference=True) as archive:
        for name in PACKED:
            archive.add(ROOT / name, f"adamerge-gpu-kit/{name}", filter=wanted)
        for source, target in THIRD_PARTY.items():
            archive.add(source, f"adamerge-gpu-kit/third_party/{target}", filter=wanted)
    partial.replace(file)
    size = file.stat().st_size
    print(f"{file}: {size / 1e6:.1f} MB; there: tar xf {file.name} && "
          "python3 adamerge-gpu-kit/tests/gpu/kit.py")
    if size > LARGEST:
        print(f"kit.py: that is more than {LARGEST / 1e6:.0f} MB", file=sys.stderr)
        return 1
    return 0


class Record:
    """What is known so far, on disk as soon as it is known."""

    def __init__(self, folder: Path, begin: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._begin = begin
        self._lines = (folder / "results.jsonl").open("w")
        self._lock = threading.Lock()
        self.entries: list[dict] = []

    def add(self, entry: dict) -> None:
        with self._lock:
            entry = {"seconds": round(time.monotonic() - self._begin, 1), **entry}
            self.entries.append(entry)
            self._lines.write(json.dumps(entry) + "\n")
            self._lines.flush()

    def write_table(self) -> str:
        with self._lock:
            text = table(self.entries)
        (self.folder / "table.txt").write_text(text + "\n")
        return text

    def failed(self) -> bool:
        return any(bad(entry) for entry in self.entries)


def bad(entry: dict) -> bool:
    return (entry.get("result") in ("failed", "crashed", "cut") or entry.get("bench") == "problem"
            or entry.get("agrees") is False)


def table(entries: list[dict]) -> str:
    import bench

    lines = []
    for entry in entries:
        if entry.get("stage") == "machine":
            lines.append(", ".join(f"{key} {value}" for key, value in entry.items()
                                   if key not in ("stage", "seconds", "prefix") and value))
        elif "stage" in entry:
            lines.append(f"{entry['stage']}: {entry['result']} {entry.get('detail', '')}".rstrip())
    tests = [entry for entry in entries if "test" in entry]
    for program in dict.fromkeys(entry["program"] for entry in tests):
        results = [entry["result"] for entry in tests if entry["program"] == program]
        lines.append(f"{program}: " + ", ".join(f"{results.count(kind)} {kind}"
                                                for kind in dict.fromkeys(results)))
    for entry in tests:
        if entry["result"] not in ("passed", "skipped"):
            lines.append(f"  {entry['result']}: {entry['test']}")
            lines += ["    " + line for line in entry.get("detail", "").splitlines()[:12]]
    return "\n".join(lines) + "\n" + bench.table(entries)


class Kit:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.begin = time.monotonic()
        self.record = Record(options.out, self.begin)
        self.about: dict = {}

    def left(self) -> float:
        return max(1.0, self.options.limit - (time.monotonic() - self.begin))

    def run(self) -> int:
        self.describe()
        stages = [self.test, self.measure] if self.options.built else [self.build, self.test,
                                                                       self.measure]
        for stage in stages:
            try:
                going_on = stage()
            except OSError as error:
                self.record.add({"stage": stage.__name__, "result": "failed", "detail": str(error)})
                going_on = False
            self.record.write_table()
            if not going_on:
                break
        print(self.record.write_table())
        print(f"\n{self.options.out}: results.jsonl, table.txt and logs")
        return 1 if self.record.failed() else 0

    def describe(self) -> None:
        asked = subprocess.run([sys.executable, "-c", ABOUT], capture_output=True, text=True,
                               check=False)
        if asked.returncode == 0:
            self.about = json.loads(asked.stdout.splitlines()[-1])
        compiler = shutil.which("c++") or shutil.which("g++") or ""
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True,
                                 check=False).stdout.splitlines()[:1] if compiler else []
        self.record.add({"stage": "machine", "system": platform.platform(),
                         "cores": os.cpu_count(), "device": self.options.device,
                         "python": platform.python_version(), "compiler": "".join(version),
                         **self.about})

    def build(self) -> bool:
        if not self.about:
            self.record.add({"stage": "build", "result": "failed",
                             "detail": f"{sys.executable} has no PyTorch"})
            return False
        if self.options.device.startswith("cuda") and not self.about["gpus"]:
            self.record.add({"stage": "build", "result": "failed",
                             "detail": "this PyTorch finds no GPU; --device stand-in or cpu runs all "
                                       "that needs none"})
            return False
        generator = "Ninja" if shutil.which("ninja") else "Unix Makefiles"
        configure = ["cmake", "--preset", "engine", "-S", str(ROOT), "-B", str(self.options.build),
                     "-G", generator, "-DADAMERGE_BUILD_TESTS=ON",
                     "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
                     f"-DCMAKE_PREFIX_PATH={self.about['prefix']}",
                     "-DCMAKE_POLICY_VERSION_MINIMUM=3.5"]
        if (ROOT / "third_party").is_dir():
            configure.append(f"-DCMAKE_PROJECT_TOP_LEVEL_INCLUDES={HERE / 'dependencies.cmake'}")
        if not self.about["new_abi"]:
            configure.append("-DCMAKE_CXX_FLAGS=-D_GLIBCXX_USE_CXX11_ABI=0")
        if not self.logged("configure", configure):
            return False
        go_on = ["--", "-k", "0"] if generator == "Ninja" else ["--", "-k"]
        self.logged("build", ["cmake", "--build", str(self.options.build), "--parallel",
                              str(self.options.jobs), *go_on])
        # What could be built is run.
        return True

    def logged(self, stage: str, command: list[str]) -> bool:
        begin = time.monotonic()
        log = self.options.out / f"{stage}.log"
        with log.open("w") as out:
            try:
                status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
                                        timeout=self.left(), check=False).returncode
            except subprocess.TimeoutExpired:
                status = -1
        entry: dict = {"stage": stage, "result": "done" if status == 0 else "failed",
                       "detail": f"in {time.monotonic() - begin:.0f} s"}
        if status != 0:
            lines = log.read_text(errors="replace").splitlines()
            errors = [line for line in lines if re.search(r"error|FAILED|undefined", line)]
            entry["detail"] += "\n" + "\n".join((errors or lines)[:20])
        self.record.add(entry)
        return status == 0

    def programs(self) -> Path:
        return self.options.built or self.options.build / "bin"

    def test(self) -> bool:
        """Each program in as many processes as cores allow, those that fill the memory in one."""
        for program in PROGRAMS:
            path = self.programs() / program
            if self.options.quick and program not in QUICK:
                continue
            if not path.exists():
                self.record.add({"stage": program, "result": "failed", "detail": "was not built"})
                continue
            alone = program == "gpu_tests" or self.options.quick
            shards = 1 if alone else min(4, max(1, self.options.jobs // 4))
            threads = [threading.Thread(target=self.shard, args=(path, index, shards))
                       for index in range(shards)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.record.write_table()
        return True

    def shard(self, path: Path, index: int, shards: int) -> None:
        environment = {**os.environ, "GTEST_TOTAL_SHARDS": str(shards),
                       "GTEST_SHARD_INDEX": str(index), "OMP_WAIT_POLICY": "passive",
                       "ADAMERGE_TEST_DEVICE": self.options.device,
                       "GTEST_COLOR": "no"}
        command = [str(path)]
        if self.options.quick:
            command.append("--gtest_filter=" + QUICK[path.name])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", env=environment)
        cut = threading.Event()

        def stop() -> None:
            cut.set()
            process.kill()

        timer = threading.Timer(self.left() if self.options.quick else min(self.left(), 240), stop)
        timer.start()
        running = ""
        said: list[str] = []
        for line in process.stdout:
            if line.startswith("[ RUN      ] "):
                running = line[13:].strip()
                said = []
            elif found := re.match(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+?),? .*\((\d+) ms\)", line):
                kind = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[found[1]]
                self.note(path.name, running, kind, said, int(found[3]))
                running = ""
            elif running:
                said.append(line.rstrip())
        status = process.wait()
        timer.cancel()
        if running:
            self.note(path.name, running, "cut" if cut.is_set() else "crashed", said, 0)
        elif status < 0 and not cut.is_set():
            self.note(path.name, "(outside of any test)", "crashed", said, 0)

    def note(self, program: str, test: str, result: str, said: list[str], took: int) -> None:
        entry = {"program": program, "test": test, "result": result, "milliseconds": took}
        if result != "passed" or program == "gpu_tests":
            entry["detail"] = "\n".join(said)[-3000:]
        self.record.add(entry)

    def measure(self) -> bool:
        library = self.programs() / "libadamerge_bench.so"
        if not library.exists() or not self.about:
            self.record.add({"stage": "bench", "result": "skipped",
                             "detail": "no PyTorch" if not self.about else "was not built"})
            return False
        # PyTorch itself knows no stand-in.
        device = "cpu" if self.options.device == "stand-in" else self.options.device
        command = [sys.executable, str(HERE / "bench.py"), "--library", str(library), "--device",
                   device, "--seconds", str(max(5, self.left() - 30)), "--json",
                   str(self.options.out / "bench.json")]
        command += ["--quick"] if self.options.quick or device == "cpu" else ["--compile"]
        with (self.options.out / "bench.log").open("w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
            timer = threading.Timer(self.left(), process.kill)
            timer.start()
            for line in process.stdout:
                if line.startswith("{"):
                    self.record.add(json.loads(line))
                    self.record.write_table()
            status = process.wait()
            timer.cancel()
        self.record.add({"stage": "bench", "result": "done" if status == 0 else "failed",
                         "detail": "" if status == 0 else "see bench.log"})
        return True


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", metavar="NAME",
                        help="cuda, cuda:N, cpu, or stand-in, which takes a GPU's ways through the "
                        "engine on the CPU (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), metavar="DIR",
                        help="results (default ./%(default)s)")
    parser.add_argument("--limit", type=float, default=570, metavar="SECONDS",
                        help="of everything, building included (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="processes at once (default: one a core)")
    parser.add_argument("--quick", action="store_true", help="a little of everything")
    parser.add_argument("--build", type=Path, default=ROOT / "build-gpu", metavar="DIR",
                        help="where to build (default %(default)s)")
    parser.add_argument("--built", type=Path, metavar="DIR",
                        help="take the programs that are here already")
    options = parser.parse_args()
    options.out = options.out.resolve()
    options.build = options.build.resolve()
    return options


def main() -> int:
    if sys.argv[1:2] == ["pack"]:
        if len(sys.argv) != 3:
            sys.exit("usage: kit.py pack FILE.tar.gz")
        return pack(Path(sys.argv[2]))
    return Kit(parse()).run()


if __name__ == "__main__":
    sys.exit(main())
