# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides of a comparison as long as it lasts: a peer's process, and `adamerge`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


class Failed(Exception):
    """A program that was to be measured did not do its part. One sentence."""


class PeerProcess:
    """A peer that has loaded the model and answers requests (see worker.py)."""

    def __init__(self, label: str, command: list[str], environment: dict[str, str]) -> None:
        self.label = label
        # A file, not a pipe: nobody reads it while the peer runs, so a pipe might fill up.
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._errors, text=True, env=environment)
        self.about: dict[str, object] = self._answer()["ready"]

    def logits(self) -> np.ndarray:
        """[images, classes] of all images."""
        return np.array(self._ask({"logits": True})["logits"], np.float64)

    def measure(self, batch: int, passes: int) -> dict:
        """`ms` of each pass; `peak_bytes` of the process so far, where it tells."""
        return self._ask({"batch": batch, "runs": passes})

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    def _ask(self, request: dict[str, object]) -> dict:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # It has ended; what it said last tells more.
        return self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        raise Failed(f"{self.label} ended with status {status}: {said[-1] if said else 'no word'}")


class Ours:
    """`adamerge` on a model folder, at one precision. Every call is a process of its own."""

    def __init__(self, program: Path, folder: Path, dtype: str, threads: int, device: str,
                 r: int) -> None:
        self._program = program
        self._folder = folder
        self._common = ["--model", str(folder), "--dtype", dtype, "--threads", str(threads),
                        "--device", device, "--quiet"]
        self._images = folder / "images"
        self._r = r
        self.machine: dict[str, object] = {}
        self.r_max = self._equal_flops()

    def logits(self, method: str) -> np.ndarray:
        """[images, classes] of all images, in the order of input.f32."""
        images = sorted(str(file) for file in self._images.iterdir())
        counts = [] if method == "none" else ["--r", str(self._r)]
        reports = self._run("inspect", *images, "--method", method, *counts)
        return np.array([report["logits"] for report in reports], np.float64)

    def measure(self, batch: int, passes: int) -> dict[str, dict]:
        """By method: `ms` of each pass, the `flops` (G, paper) that they took on average and the
        `peak_bytes` of the process up to then."""
        points = self._bench("tome,adamerge", passes, batch,
                             "--r", str(self._r), "--r-max", str(self.r_max))
        return {point["method"]: {"ms": point["times"], "flops": point["flops_paper"],
                                  "peak_bytes": point["peak_bytes"]}
                for point in points}

    def _equal_flops(self) -> int:
        """The r_max that brings AdaMerge nearest to ToMe's FLOPs at r."""
        statistics = self._folder / "stats.json"
        if not statistics.exists():
            # Half of r_max is what merges on average.
            step = max(4, self._r // 2)
            counts = ",".join(str(count) for count in range(self._r, 4 * self._r + 1, step))
            self._call("calibrate", str(self._images), "--r-max", counts, "-o", str(statistics))
        tome = self._bench("tome", 1, 1, "--r", str(self._r))[-1]
        tier = f"{tome['flops_paper']:.4f}"
        adamerge = self._bench("adamerge", 1, 1, "--flops", tier)[-1]
        return adamerge["settings"]["r_max"]

    def _bench(self, methods: str, passes: int, batch: int, *options: str) -> list[dict]:
        report = self._run("bench", "--methods", methods, "--images", str(self._images),
                           "--batch", str(batch), "--warmup", "1", "--runs", str(passes), *options)
        self.machine = report["machine"]
        return report["models"][0]["points"]

    def _run(self, command: str, *arguments: str):
        return json.loads(self._call(command, *arguments, "--json", "-"))

    def _call(self, command: str, *arguments: str) -> str:
        call = [str(self._program), command, *arguments, *self._common]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=False)
        except OSError as error:
            raise Failed(f"{self._program} does not start: {error.strerror}") from error
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise Failed(f"adamerge {command} failed: {said[-1] if said else done.returncode}")
        return done.stdout
