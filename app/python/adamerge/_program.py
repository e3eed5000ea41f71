# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `_core` answers, by way of the program `adamerge`: in any Python, a model loaded at each call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import weakref
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
        made = Run(Path(tempfile.mkdtemp(prefix="adamerge-")))
        if not isinstance(image, str):
            path = made.folder / name
            path.write_bytes(b"P6 %d %d 255\n" % (image.shape[1], image.shape[0]) + image.tobytes())
            image = str(path)
        options = [f"--{key.replace('_', '-')}={value}" for key, value in settings]
        report = self._json("inspect", image, f"--method={method}", f"--trace={made.trace}", *options)
        made.report = {**report, "image": name}
        return made

    def evaluate(self, arguments: Sequence[str]) -> "Evaluation":
        return Evaluation(run("evaluate", *arguments, *self._arguments, "--json=-", "--quiet"))

    def calibrate(self, arguments: Sequence[str]) -> List[str]:
        return [run("calibrate", *arguments, *self._arguments).strip()]


class Run:
    def __init__(self, folder: Path):
        self.folder, self.trace = folder, folder / "run.adamerge-trace"
        self.report: Dict[str, Any] = {}
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def json(self) -> str:
        return json.dumps(self.report)

    def blocks(self) -> int:
        return len(self.report["layers"])

    def block(self, index: int) -> Dict[str, Any]:
        layer = self.report["layers"][index]
        block = {name: layer[name] for name in ("index", "tokens_in", "tokens_out", "redundancy", "z")}
        for name, type_ in (("groups", np.int32), ("dropped", np.int32), ("salience", np.float32),
                            ("attention", np.float32)):
            block[name] = None if layer[name] is None else np.asarray(layer[name], type_)
        return block

    def logits(self) -> np.ndarray:
        return np.asarray(self.report["logits"], np.float32)

    def embedding(self) -> np.ndarray:
        return np.asarray(self.report["embedding"], np.float32)

    def flops(self) -> Dict[str, float]:
        return dict(self.report["flops"])

    def warnings(self) -> List[str]:
        return list(self.report["warnings"])

    def write_figures(self, arguments: Sequence[str]) -> None:
        run("inspect", str(self.trace), f"--json={os.devnull}", *arguments)

    def write_trace(self, path: str) -> None:
        Path(path).write_bytes(self.trace.read_bytes())


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
