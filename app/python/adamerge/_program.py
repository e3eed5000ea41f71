# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `_core` answers, by way of the program `adamerge`: in any Python, a model loaded at each call."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _programs
from ._errors import Error


def run(*arguments: str) -> str:
    done = subprocess.run([_programs.find("adamerge"), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("adamerge: warning")]
        sentence = lines[-1] if lines else f"adamerge ended with status {done.returncode}"
        raise Error(sentence[len("adamerge: "):] if sentence.startswith("adamerge: ") else sentence)
    return done.stdout


class Model:
    def __init__(self, arguments: Sequence[str]):
        self._arguments = list(arguments)
        self._info = self._json("info")

    def _json(self, *arguments: str) -> Any:
        return json.loads(run(*arguments, *self._arguments, "--json=-", "--quiet"))

    def json(self) -> str:
        return json.dumps(self._info)

    def device(self) -> str:
        return str(self._info["device"])

    def dtype(self) -> str:
        return str(self._info["dtype"])

    def warnings(self) -> List[str]:
        return []

    def inspect(self, image: Union[str, np.ndarray], name: str, method: str,
                settings: Sequence[Tuple[str, str]]) -> "Run":
        folder = tempfile.TemporaryDirectory(prefix="adamerge-")
        trace = Path(folder.name) / "run.adamerge-trace"
        if not isinstance(image, str):
            path = Path(folder.name) / name
            path.write_bytes(b"P6 %d %d 255\n" % (image.shape[1], image.shape[0]) + image.tobytes())
            image = str(path)
        options = [f"--{key.replace('_', '-')}={value}" for key, value in settings]
        report = self._json("inspect", image, f"--method={method}", f"--trace={trace}", *options)
        report["image"] = name
        return Run(report, trace, folder)

    def evaluate(self, arguments: Sequence[str]) -> "Evaluation":
        return Evaluation(run("evaluate", *arguments, *self._arguments, "--json=-", "--quiet"))

    def calibrate(self, arguments: Sequence[str]) -> List[str]:
        return [run("calibrate", *arguments, *self._arguments).strip()]


class Run:
    def __init__(self, report: Dict[str, Any], trace: Path, folder: Any):
        self._report, self._trace = report, trace
        self._folder = folder  # goes with this object

    def json(self) -> str:
        return json.dumps(self._report)

    def blocks(self) -> int:
        return len(self._report["layers"])

    def block(self, index: int) -> Dict[str, Any]:
        layer = self._report["layers"][index]
        block = {name: layer[name] for name in ("index", "tokens_in", "tokens_out", "redundancy", "z")}
        for name, type_ in (("groups", np.int32), ("dropped", np.int32), ("salience", np.float32),
                            ("attention", np.float32)):
            block[name] = None if layer[name] is None else np.asarray(layer[name], type_)
        return block

    def logits(self) -> np.ndarray:
        return np.asarray(self._report["logits"], np.float32)

    def embedding(self) -> np.ndarray:
        return np.asarray(self._report["embedding"], np.float32)

    def flops(self) -> Dict[str, float]:
        return dict(self._report["flops"])

    def warnings(self) -> List[str]:
        return list(self._report["warnings"])

    def write_figures(self, arguments: Sequence[str]) -> None:
        run("inspect", str(self._trace), f"--json={os.devnull}", *arguments)

    def write_trace(self, path: str) -> None:
        Path(path).write_bytes(self._trace.read_bytes())


class Evaluation:
    """Of one step, since the program says all at once."""

    def __init__(self, report: str):
        self._report: Optional[str] = report

    def next(self) -> Optional[Dict[str, Any]]:
        if self._report is None:
            return None
        done, report = self._report, None
        self._report = report
        images = json.loads(done)["images"]
        return {"stage": "evaluating", "done": images, "total": images, "json": done}

    def warnings(self) -> List[str]:
        return []

    def stop(self) -> None:
        self._report = None
