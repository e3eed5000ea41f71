# SPDX-License-Identifier: GPL-3.0-or-later
"""Our models, methods and figures, by way of the program `adamerge`: in any Python, beside any PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

from . import _programs
from .recorder import as_array
from .studio import show

PathLike = Union[str, "os.PathLike[str]"]


class Error(RuntimeError):
    """What the core says of an input it cannot use, in its own sentence."""


def _run(*arguments: str) -> str:
    done = subprocess.run([_programs.find("adamerge"), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("adamerge: warning")]
        sentence = lines[-1] if lines else f"adamerge ended with status {done.returncode}"
        raise Error(sentence[len("adamerge: "):] if sentence.startswith("adamerge: ") else sentence)
    return done.stdout


def _options(settings: Mapping[str, Any]) -> List[str]:
    """The command line's: r_max=16 is `--r-max 16`."""
    options: List[str] = []
    for name, value in settings.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, (list, tuple)):
            value = ",".join(str(one) for one in value)
        options += ["--" + name.replace("_", "-"), str(value)]
    return options


def _picture_file(image: Any, folder: Path) -> str:
    """A path to `image`, which is one or has pixels."""
    if isinstance(image, (str, os.PathLike)):
        return os.fspath(image)
    if hasattr(image, "convert"):  # PIL
        image = image.convert("RGB")
    array = as_array(image)
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:  # torch's order
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] != 3:
        raise Error(f"a picture of shape {list(array.shape)} cannot be shown to the model: "
                    "[height, width, 3] or [3, height, width] is expected")
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise Error("a picture of real numbers must hold values from 0 to 1, not normalised ones")
        array = np.rint(array * 255)
    elif array.dtype != np.uint8:
        raise Error(f"a picture of type {array.dtype} cannot be shown to the model: uint8, or real "
                    "numbers from 0 to 1, are expected")
    array = np.ascontiguousarray(array, np.uint8)
    path = folder / "picture.ppm"
    path.write_bytes(b"P6 %d %d 255\n" % (array.shape[1], array.shape[0]) + array.tobytes())
    return str(path)


@dataclass(frozen=True)
class Block:
    """One block. `groups`: per patch, after the block; the same number is one token."""

    index: int
    tokens_in: int
    tokens_out: int
    groups: np.ndarray
    salience: Optional[np.ndarray]
    attention: Optional[np.ndarray]
    dropped: np.ndarray
    redundancy: Optional[float]
    z: Optional[float]

    @property
    def tokens(self) -> int:
        """Left after the block, prefix included."""
        return self.tokens_out


class Figure:
    """A figure; a notebook shows it."""

    def __init__(self, trace: Path, kind: str, block: Optional[int], settings: Mapping[str, Any]):
        self._trace, self._kind, self._block, self._settings = trace, kind, block, dict(settings)
        self._drawn: Dict[str, bytes] = {}

    def data(self, format: str) -> bytes:
        """The file's bytes, `format` one of svg, png, pdf."""
        if format not in self._drawn:
            with tempfile.TemporaryDirectory() as folder:
                _run("inspect", str(self._trace), "--figure", self._kind, "--format", format, "--out", folder,
                     "--json", os.devnull, *_options({"layer": self._block, **self._settings}))
                self._drawn[format] = next(Path(folder).iterdir()).read_bytes()
        return self._drawn[format]

    def save(self, path: PathLike) -> Path:
        """Writes it as its name says: .svg, .png or .pdf."""
        path = Path(path)
        format = path.suffix.lower().lstrip(".")
        if format not in ("svg", "png", "pdf"):
            raise Error(f"{path}: a figure is written as .svg, .png or .pdf")
        path.write_bytes(self.data(format))
        return path

    def _repr_svg_(self) -> str:
        return self.data("svg").decode()

    def _repr_png_(self) -> bytes:
        return self.data("png")


class Inspection:
    """One picture under one method: what `adamerge inspect --json` says, as arrays."""

    def __init__(self, report: Mapping[str, Any], trace: Path, folder: Any):
        self.report = report
        self.blocks: List[Block] = [_block(layer) for layer in report["layers"]]
        self.logits = np.asarray(report["logits"], np.float32)
        self.embedding = np.asarray(report["embedding"], np.float32)
        self.flops: Dict[str, float] = report["flops"]
        self.fidelity: Dict[str, float] = report["fidelity"]
        self.prediction: List[Dict[str, Any]] = report["prediction"]
        self.baseline_prediction: List[Dict[str, Any]] = report["baseline_prediction"]
        self.warnings: List[str] = report["warnings"]
        self._trace = trace
        self._folder = folder  # goes with this object

    def figure(self, kind: str = "groups", block: Optional[int] = None, **settings: Any) -> Figure:
        """`kind` as `--figure` takes it; `settings` are its options, as width_mm=86."""
        return Figure(self._trace, kind, block, settings)

    def save(self, path: PathLike) -> Path:
        """The run as a trace, for the studio."""
        path = Path(path)
        path.write_bytes(self._trace.read_bytes())
        return path

    def show(self) -> None:
        """In the studio."""
        show(self._trace)

    def _repr_svg_(self) -> str:
        return self.figure("strip")._repr_svg_()

    def __repr__(self) -> str:
        tokens = " > ".join(str(block.tokens_in) for block in self.blocks[:1] + self.blocks[-1:])
        return (f"<{self.report['method']} on {self.report['image']}: tokens {tokens} > "
                f"{self.blocks[-1].tokens_out}, {self.flops['paper']:.3f} of "
                f"{self.flops['baseline_paper']:.3f} G>")


def _block(layer: Mapping[str, Any]) -> Block:
    def floats(name: str) -> Optional[np.ndarray]:
        return None if layer[name] is None else np.asarray(layer[name], np.float32)

    return Block(layer["index"], layer["tokens_in"], layer["tokens_out"],
                 np.asarray(layer["groups"], np.int32), floats("salience"), floats("attention"),
                 np.asarray(layer["dropped"], np.int32), layer["redundancy"], layer["z"])


class Model:
    """A model: a folder, a weight file, a name of the hub, or None for the bundled one.

    `options` are the command line's: device="cpu", dtype="float32", threads=2, input_size=224, head="file".
    Each call runs the program, so a large model is loaded each time.
    """

    def __init__(self, model: Optional[PathLike] = None, **options: Any):
        given = {} if model is None else {"model": os.fspath(model)}
        self._options = _options({**given, **options})
        self.info: Dict[str, Any] = self._json("info")

    def _json(self, *arguments: str) -> Any:
        return json.loads(_run(*arguments, *self._options, "--json", "-", "--quiet"))

    def inspect(self, image: Any, method: str = "adamerge", **settings: Any) -> Inspection:
        """`image`: a path, a PIL picture, a NumPy array or a torch tensor; `settings` as r_max=16."""
        folder = tempfile.TemporaryDirectory(prefix="adamerge-")
        trace = Path(folder.name) / "run.adamerge-trace"
        report = self._json("inspect", _picture_file(image, Path(folder.name)), "--method", method,
                            "--trace", str(trace), *_options(settings))
        return Inspection(report, trace, folder)

    def evaluate(self, folder: PathLike, methods: Optional[Sequence[str]] = None,
                 **settings: Any) -> List[Dict[str, Any]]:
        """The points of `adamerge evaluate`: method, settings, top1, agreement, flops_paper and so on."""
        return self._json("evaluate", os.fspath(folder), *_options({"methods": methods, **settings}))["points"]

    def calibrate(self, folder: PathLike, output: PathLike, r_max: Union[int, str, Sequence[int]],
                  **settings: Any) -> Path:
        """Layer statistics of the pictures below `folder`, for `stats=` of inspect and evaluate."""
        _run("calibrate", os.fspath(folder), "-o", os.fspath(output), "--quiet", *self._options,
             *_options({"r_max": r_max, **settings}))
        return Path(output)
