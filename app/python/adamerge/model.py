# SPDX-License-Identifier: GPL-3.0-or-later
"""Our models, methods and figures."""

from __future__ import annotations

import functools
import json
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _core_access, _program
from ._errors import Error
from .recorder import as_array
from .studio import show

PathLike = Union[str, "os.PathLike[str]"]


def _text(value: Any) -> str:
    """As the command line has it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ",".join(_text(one) for one in value)
    if isinstance(value, np.ndarray):
        return _text(value.tolist())
    return str(value)


def written(settings: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Keys and texts; None stands for a default."""
    return [(name, _text(value)) for name, value in settings.items() if value is not None]


def _options(settings: Mapping[str, Any]) -> List[str]:
    """The command line's: r_max=16 is `--r-max=16`."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in written(settings)]


def _pixels(image: Any) -> np.ndarray:
    """[height, width, 3] of uint8."""
    if hasattr(image, "convert"):  # PIL
        image = image.convert("RGB")
    array = as_array(image)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:  # torch's order
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise Error(f"a picture of shape {list(array.shape)} cannot be shown to the model: "
                    "[height, width, 3] or [3, height, width] is expected")
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise Error("a picture of real numbers must hold values from 0 to 1, not normalised ones")
        array = np.rint(array * 255)
    elif array.dtype != np.uint8:
        raise Error(f"a picture of type {array.dtype} cannot be shown to the model: uint8, or real "
                    "numbers from 0 to 1, are expected")
    return np.ascontiguousarray(array, np.uint8)


@dataclass(frozen=True)
class Block:
    """One block. Arrays have one number per patch, in raster order; None: the method tells none."""

    index: int
    tokens_in: int
    tokens_out: int
    groups: np.ndarray  #: after the block; the same number is one token
    salience: Optional[np.ndarray]
    attention: Optional[np.ndarray]  #: the class token's
    dropped: np.ndarray  #: the patches whose token was dropped here
    redundancy: Optional[float]
    z: Optional[float]

    @property
    def tokens(self) -> int:
        """Left after the block, prefix included."""
        return self.tokens_out


class Figure:
    """A figure; a notebook shows it."""

    def __init__(self, run: Any, kind: str, block: Optional[int], settings: Mapping[str, Any]):
        self._run = run
        self._arguments = _options({"figure": kind, "layer": block, **settings})
        self._drawn: Dict[str, bytes] = {}

    def data(self, format: str) -> bytes:
        """The file's bytes, `format` one of svg, png, pdf."""
        if format not in self._drawn:
            with tempfile.TemporaryDirectory() as folder:
                self._run.write_figures([*self._arguments, f"--format={format}", f"--out={folder}"])
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
    """One picture under one method."""

    def __init__(self, run: Any):
        self._run = run
        for sentence in run.warnings():
            warnings.warn(sentence, stacklevel=3)

    @functools.cached_property
    def blocks(self) -> List[Block]:
        return [Block(**_core_access.unpacked(self._run.block(index))) for index in range(self._run.blocks())]

    @functools.cached_property
    def logits(self) -> np.ndarray:
        """[classes]; empty without a classifier."""
        return _core_access.unpacked(self._run.logits())

    @functools.cached_property
    def embedding(self) -> np.ndarray:
        """What the classifier reads."""
        return _core_access.unpacked(self._run.embedding())

    @functools.cached_property
    def flops(self) -> Dict[str, float]:
        """Billions of multiply-accumulates: paper, total, baseline_paper, baseline_total (docs/flops.md)."""
        return self._run.flops()

    @functools.cached_property
    def report(self) -> Dict[str, Any]:
        """All that `adamerge inspect --json` says."""
        return json.loads(self._run.json())

    @property
    def prediction(self) -> List[Dict[str, Any]]:
        """The most probable classes."""
        return self.report["prediction"]

    @property
    def baseline_prediction(self) -> List[Dict[str, Any]]:
        """Those of the unmerged model."""
        return self.report["baseline_prediction"]

    @property
    def fidelity(self) -> Dict[str, float]:
        """How close the result stays to the unmerged model's."""
        return self.report["fidelity"]

    @property
    def warnings(self) -> List[str]:
        return self._run.warnings()

    def figure(self, kind: str = "groups", block: Optional[int] = None, **settings: Any) -> Figure:
        """`kind` as `--figure` takes it; `settings` are its options, as width_mm=86."""
        return Figure(self._run, kind, block, settings)

    def save(self, path: PathLike) -> Path:
        """The run as a trace, for the studio."""
        path = Path(path)
        self._run.write_trace(str(path))
        return path

    def show(self) -> None:
        """In the studio. The trace stays in the folder for temporary files."""
        descriptor, name = tempfile.mkstemp(prefix="run-", suffix=".adamerge-trace")
        os.close(descriptor)
        show(self.save(name))

    def _repr_svg_(self) -> str:
        return self.figure("strip")._repr_svg_()

    def __repr__(self) -> str:
        tokens = " > ".join(str(block.tokens_in) for block in self.blocks[:1] + self.blocks[-1:])
        return (f"<{self.report['method']} on {self.report['image']}: tokens {tokens} > "
                f"{self.blocks[-1].tokens_out}, {self.flops['paper']:.3f} of "
                f"{self.flops['baseline_paper']:.3f} G>")


@dataclass(frozen=True)
class Step:
    """How far an evaluation is."""

    stage: str
    done: int
    total: int
    points: List[Dict[str, Any]]  #: measured so far, as in the command line's JSON; the unmerged model first

    def __str__(self) -> str:
        return f"{self.stage}: {self.done} of {self.total}"


class Evaluation:
    """Measures while it is iterated: `for step in evaluation: print(step)`; then `points` has the results."""

    def __init__(self, run: Any):
        self._run = run
        self._points: List[Dict[str, Any]] = []
        self._over = False

    def __iter__(self) -> Iterator[Step]:
        return self

    def __next__(self) -> Step:
        try:
            news = None if self._over else self._run.next()
        except BaseException:
            self._over = True
            raise
        if news is None:
            if not self._over:
                self._over = True
                for sentence in self._run.warnings():
                    warnings.warn(sentence, stacklevel=2)
            raise StopIteration
        if news["json"]:
            self._points = json.loads(news["json"])["points"]
        return Step(news["stage"], news["done"], news["total"], self._points)

    @property
    def points(self) -> List[Dict[str, Any]]:
        """One dict a method and setting: method, settings, top1, agreement, flops_paper and so on. Waits for the
        end, if that is still to come."""
        for _ in self:
            pass
        return self._points

    def close(self) -> None:
        """Stops it; `points` stays at what was measured."""
        self._over = True
        self._run.stop()


class Model:
    """A model: a folder, a weight file, a name of the hub, or None for the bundled one.

    `options` are the command line's: device="cpu", dtype="float32", threads=2, input_size=224, head="file".
    Methods may be called from several threads. `with` closes the model at the end.
    """

    def __init__(self, model: Optional[PathLike] = None, **options: Any):
        given = {} if model is None else {"model": os.fspath(model)}
        self._arguments = _options({**given, **options})
        self._open()
        for sentence in self._core.warnings():
            warnings.warn(sentence, stacklevel=2)
        self.info: Dict[str, Any] = json.loads(self._core.json())

    def _open(self) -> None:
        module = _core_access.core()
        self._core: Any = (module or _program).Model(self._arguments)
        self._process = os.getpid()

    def __getstate__(self) -> Dict[str, Any]:
        return {"arguments": self._arguments, "info": self.info, "closed": self._core is None}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        """In another process, as a spawned worker of DataLoader, it opens the model anew."""
        self._arguments, self.info = state["arguments"], state["info"]
        self._core = None
        if not state["closed"]:
            self._open()

    def _opened(self) -> Any:
        if self._core is None:
            raise Error("the model is closed: adamerge.Model(...) opens it again")
        if self._process != os.getpid() and _core_access.way() == "process":
            self._open()  # after a fork; the other one is the parent's
        return self._core

    def inspect(self, image: Any, method: str = "adamerge", **settings: Any) -> Inspection:
        """`image`: a path, a PIL picture, a NumPy array or a torch tensor; `settings` as r_max=16."""
        if isinstance(image, (str, os.PathLike)):
            path = os.fspath(image)
            return Inspection(self._opened().inspect(path, path, method, written(settings)))
        return Inspection(self._opened().inspect(_pixels(image), "picture", method, written(settings)))

    def evaluate(self, folder: PathLike, methods: Optional[Union[str, Sequence[str]]] = None,
                 variants: Sequence[str] = (), **settings: Any) -> Evaluation:
        """Accuracy and FLOPs over a folder of images, as `adamerge evaluate`: limit=500, unlabelled=True, flops=0.9,
        r=[8, 12]. `variants` as "adamerge salience=off r=8"."""
        arguments = [os.fspath(folder), *_options({"methods": methods, **settings})]
        return Evaluation(self._opened().evaluate([*arguments, *(f"--variant={one}" for one in variants)]))

    def calibrate(self, folder: PathLike, output: PathLike,
                  r_max: Optional[Union[int, str, Sequence[int]]] = None, **settings: Any) -> Path:
        """Layer statistics of the pictures below `folder`, for `stats=` of inspect and evaluate; with
        method="prune-merge" the importance of patches, without r_max."""
        _, *problems = self._opened().calibrate(
            [os.fspath(folder), *_options({"output": os.fspath(output), "r_max": r_max, **settings})])
        for sentence in problems:
            warnings.warn(sentence, stacklevel=2)
        return Path(output)

    def close(self) -> None:
        """Lets go of the weights; results stay."""
        self._core = None

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._core is None:
            return f"<{self.info['name']}: closed>"
        place = {"module": "in this process", "process": "in a process beside", "program": "by the program"}
        return f"<{self.info['name']} on {self._core.device()}, {self._core.dtype()}, {place[_core_access.way()]}>"
