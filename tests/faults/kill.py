#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments of evaluate, calibrate, adamerge-train and the studio's batch export.

    kill.py BIN_FOLDER MODEL_FOLDER [--kills N] [--seed N] [--only NAME]

A run is begun again and again, with the options it was begun with, and killed each time at a random
moment, until so many kills are done and one run ends by itself. After each kill every file is whole:
JSON parses, a checkpoint can be opened, and what was finished is not fewer than before. At the end
the totals are those of a run that was never killed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

ENVIRONMENT = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS="1")


def require(good, what):
    if not good:
        sys.exit("kill.py: " + what)


def make_images(folder, count, side=32):
    """Labelled pictures, of two classes of the bundled model."""
    draw = random.Random(7)
    for label in ("bird", "ship"):
        (folder / label).mkdir(parents=True)
        for i in range(count // 2):
            pixels = bytes(draw.randrange(256) for _ in range(3)) * (side * side // 2)
            pixels += bytes(draw.randrange(256) for _ in range(side * side * 3 // 2))
            (folder / label / f"{i:03}.ppm").write_bytes(b"P6 %d %d 255\n" % (side, side) + pixels)


def read_json(path):
    return json.loads(path.read_text()) if path.exists() else None


class Task:
    def complete(self):
        """Whether a killed run had done all, and the next would begin anew."""
        return False


class Evaluate(Task):
    name = "evaluate"
    images = 64
    environment = {}

    def __init__(self, options, work):
        self.out = work / "out.json"
        self.command = [options.bin / "adamerge", "evaluate", work / "images", "--model",
                        options.model, "--method", "tome", "--r", "1,2", "--batch", "2",
                        "--input-size", "16",
                        "--threads", "1", "--quiet", "--json", self.out]

    def check(self):
        """Images that are counted; every file is whole."""
        if self.out.exists():
            return read_json(self.out)["images"]
        state = read_json(pathlib.Path(f"{self.out}.partial"))
        return state["done"] if state else 0

    def result(self):
        record = read_json(self.out)
        record.pop("command")
        for point in record["points"]:
            point.pop("images_per_second")
        return record

    def clear(self):
        self.out.unlink(missing_ok=True)


class Batch(Task):
    """The export of a folder, as the studio's dialog starts it."""

    name = "batch export"
    images = 24

    def __init__(self, options, work):
        self.folder = work / "figures"
        self.out = self.folder / "adamerge-batch.csv"
        self.journal = self.folder / "adamerge-batch.csv.partial"
        self.command = [options.bin / "ui_tests", "BatchJobTest", "runsAFolder"]
        self.environment = {"ADAMERGE_BATCH_IN": str(work / "images"),
                            "ADAMERGE_BATCH_OUT": str(self.folder), "QT_QPA_PLATFORM": "offscreen"}

    def check(self):
        for figure in self.folder.rglob("*.png"):
            if not figure.name.startswith("."):
                require(figure.read_bytes().endswith(b"IEND\xaeB`\x82"), f"{figure} is cut off")
        journal = read_json(self.journal)
        if journal:
            return len(journal["images"])
        return self.images if self.out.exists() else 0

    def complete(self):
        """A run that comes after is another one, which begins with none."""
        return self.out.exists() and not self.journal.exists()

    def result(self):
        return {path.relative_to(self.folder): path.read_bytes()
                for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".part"}

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Calibrate(Task):
    name = "calibrate"
    images = 64
    environment = {}

    def __init__(self, options, work):
        self.out = work / "stats.json"
        self.command = [options.bin / "adamerge", "calibrate", work / "images", "--model",
                        options.model, "--r-max", "1,2", "--input-size", "16", "--threads", "1",
                        "--quiet", "-o", self.out]

    def check(self):
        """Images of both passes that are counted."""
        if self.out.exists():
            return 2 * read_json(self.out)["images"]
        state = read_json(pathlib.Path(f"{self.out}.partial"))
        return state["state"]["pass"] * self.images + state["state"]["done"] if state else 0

    def result(self):
        return read_json(self.out)["entries"]

    def clear(self):
        self.out.unlink(missing_ok=True)


class Train(Task):
    name = "adamerge-train"
    images = 64
    environment = {}

    def __init__(self, options, work):
        self.out = work / "run"
        self.command = [options.bin / "adamerge-train", work / "images", "-o", self.out, "--flip",
                        "off", "--image-size", "16", "--width", "32", "--depth", "2", "--heads",
                        "2", "--batch", "16", "--epochs", "12", "--threads", "1", "--dtype",
                        "float32", "--checkpoint-every", "5", "--log-every", "5", "--quiet"]

    def check(self):
        """Rows of the log; the checkpoint's header is whole and so long as it says."""
        checkpoint = self.out / "checkpoint.safetensors"
        if checkpoint.exists():
            data = checkpoint.read_bytes()
            length = struct.unpack("<Q", data[:8])[0]
            header = json.loads(data[8:8 + length])
            end = max(entry["data_offsets"][1] for name, entry in header.items()
                      if name != "__metadata__")
            require(len(data) == 8 + length + end, "the checkpoint is cut off")
            if "--resume" not in self.command:
                self.command.append("--resume")
        log = self.out / "log.csv"
        rows = log.read_text() if log.exists() else ""
        require(rows == "" or rows.endswith("\n"), "the log is cut off")
        return 1 if checkpoint.exists() else 0

    def result(self):
        model = self.out / "model"
        return [(model / name).read_bytes() for name in ("config.json", "model.safetensors")]

    def clear(self):
        shutil.rmtree(self.out, ignore_errors=True)
        if "--resume" in self.command:
            self.command.remove("--resume")


def run(task, kill_after=None):
    """Whether it ended by itself."""
    command = [str(part) for part in task.command]
    process = subprocess.Popen(command, env={**ENVIRONMENT, **task.environment},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    require(process.returncode == 0, f"{command[0]} ended with {process.returncode}: {errors!r}")
    return True


def torment(task, work, kills, draw):
    start = time.monotonic()
    require(run(task), "unreachable")
    whole = time.monotonic() - start
    expected = task.result()
    task.clear()
    killed = ended = 0
    before = 0
    while True:
        # Beyond the kills that are asked for, the run may end.
        moment = draw.uniform(0, whole) if killed < kills else None
        begun = time.monotonic()
        by_itself = run(task, moment)
        if by_itself and before == 0:
            whole = min(whole, time.monotonic() - begun)
        done = task.check()
        require(done >= before, f"{task.name}: {before} were finished, then {done}")
        before = done
        killed += not by_itself
        if not by_itself and not task.complete():
            continue
        require(task.result() == expected, f"{task.name}: other totals after {killed} kills")
        ended += by_itself
        task.clear()
        before = 0
        if by_itself and killed >= kills:
            break
    left = sum(1 for _ in work.rglob(".*.part"))
    print(f"{task.name}: {killed} kills, {ended} runs ended, all with the totals of a run of "
          f"{whole:.1f} s; {left} temporary file(s) left", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for make in (Evaluate, Calibrate, Train, Batch):
        if options.only not in make.name:
            continue
        with tempfile.TemporaryDirectory(prefix="adamerge-kill-") as folder:
            work = pathlib.Path(folder)
            make_images(work / "images", make.images)
            torment(make(options, work), work, options.kills, random.Random(options.seed))


if __name__ == "__main__":
    main()
