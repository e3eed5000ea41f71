# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces of any model and method, for the studio to show (docs/traces.md)."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _safetensors

TRACE_EXTENSION = ".adamerge-trace"
_INFO_NAMES = ("_tome_info", "_info")  # public ToMe's, public PiToMe's


def as_array(values: Any) -> np.ndarray:
    """NumPy array of a list, an array or a tensor; a tensor on a GPU is fetched."""
    for step in ("detach", "cpu"):
        if hasattr(values, step):
            values = getattr(values, step)()
    if str(getattr(values, "dtype", "")) == "torch.bfloat16":
        values = values.float()
    return np.asarray(values)


def _picture(image: Any) -> np.ndarray:
    """[height, width, 3], u8, of a NumPy array or a PIL picture."""
    if hasattr(image, "convert"):
        image = image.convert("RGB")
    array = as_array(image)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ValueError(f"a picture of shape {list(array.shape)} and type {array.dtype} cannot be "
                         "stored: [height, width, 3] of uint8 is expected")
    return array


class Recorder:
    """Records which patches are one token after every block, and writes them as a trace.

    Of a timm model patched by the public ToMe or PiToMe code, three lines::

        with adamerge.Recorder(model, image=x) as rec:
            model(x)
        rec.save("run.adamerge-trace")

    Of anything else, block by block::

        rec = adamerge.Recorder(image=picture, grid=(14, 14), prefix_tokens=1)
        rec.block(0, groups=groups)          # [patches] or [images, patches]; -1: dropped
        rec.save("run.adamerge-trace")

    Parameters
    ----------
    model: a network with `blocks`, whose runs within `with` are recorded. None: only `block()`.
    image: what the network sees: one picture or a list of them, each a path, a PIL picture or a
        NumPy array [height, width, 3] of uint8, already cropped to what the network sees; or a
        normalised tensor [images, 3, height, width]. None: the tensor that the model is called with.
    names: of the images.
    model_name, method, settings, classes: what the studio shows; `settings` any JSON values.
    grid: (rows, columns) of patches. None: as the model says, else a square.
    prefix_tokens: class and register tokens before the patches. None: as the model says, else 0.
    mean, std: that undo the tensor's normalisation. None: as the model says, else 0.5.
    rate: frames per second, where the images are those of a video.
    """

    def __init__(self, model: Any = None, image: Any = None, *, names: Optional[Sequence[str]] = None,
                 model_name: Optional[str] = None, method: Optional[str] = None,
                 settings: Optional[Mapping[str, Any]] = None,
                 classes: Optional[Sequence[str]] = None, grid: Optional[Tuple[int, int]] = None,
                 prefix_tokens: Optional[int] = None, mean: Optional[Sequence[float]] = None,
                 std: Optional[Sequence[float]] = None, rate: Optional[float] = None) -> None:
        self._model = model
        self._image = image
        self._names = list(names) if names is not None else None
        self._classes = list(classes) if classes is not None else None
        self._model_name = model_name if model_name is not None else _name_of(model)
        self._method = method
        self._settings = dict(settings) if settings is not None else None
        self._grid = grid if grid is not None else _grid_of(model)
        self._prefix = prefix_tokens if prefix_tokens is not None else _prefix_of(model)
        self._mean = mean if mean is not None else _config(model).get("mean", (0.5, 0.5, 0.5))
        self._std = std if std is not None else _config(model).get("std", (0.5, 0.5, 0.5))
        self._rate = rate
        self._blocks: Dict[int, Dict[str, List[np.ndarray]]] = {}
        self._inputs: List[np.ndarray] = []
        self._whole: Dict[str, List[np.ndarray]] = {}
        self._hooks: List[Any] = []
        self._restore: List[Tuple[Dict[str, Any], Any]] = []

    # ------------------------------------------------------------------ models that say it themselves

    def __enter__(self) -> "Recorder":
        if self._model is None:
            return self
        blocks = getattr(self._model, "blocks", None)
        if blocks is None or len(blocks) == 0:
            raise ValueError(f"{type(self._model).__name__} has no 'blocks' to record: call "
                             "rec.block(i, groups=...) after each of its layers instead")
        info = _merging_info(self._model)
        if info is None:
            raise ValueError(f"{type(self._model).__name__} is not patched by ToMe or PiToMe (it has "
                             f"no {' or '.join(_INFO_NAMES)}): call apply_patch first, or record "
                             "with rec.block(i, groups=...)")
        self._restore.append((info, info.get("trace_source")))
        info["trace_source"] = True
        self._hooks.append(self._model.register_forward_pre_hook(self._begin))
        for index, block in enumerate(blocks):
            self._hooks.append(block.register_forward_hook(self._block_hook(index, info)))
        self._hooks.append(self._model.register_forward_hook(self._end))
        return self

    def __exit__(self, *exception: Any) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        for info, value in self._restore:
            info["trace_source"] = value
        self._restore.clear()

    def _begin(self, module: Any, inputs: Tuple[Any, ...]) -> None:
        if self._image is None and inputs:
            self._inputs.append(as_array(inputs[0]))
        if self._settings is None:
            known = {key: getattr(module, key, None) for key in ("r", "ratio")}
            self._settings = {key: value for key, value in known.items() if _is_plain(value)}
        if self._method is None:
            self._method = "PiToMe" if hasattr(module, "_info") else "ToMe"

    def _block_hook(self, index: int, info: Dict[str, Any]) -> Any:
        def hook(_module: Any, inputs: Tuple[Any, ...], _output: Any) -> None:
            images, tokens = int(inputs[0].shape[0]), int(inputs[0].shape[1])
            source = info.get("source")
            if source is None:
                known = self._blocks.get(0, {}).get("tokens_in")
                first = int(known[-1][0]) if index > 0 and known else tokens
                groups = np.tile(np.arange(first - self._prefix, dtype=np.int32), (images, 1))
            else:
                groups = self._groups(source)
            self.block(index, groups=groups, tokens_in=np.full(images, tokens, np.int32))
        return hook

    def _groups(self, source: Any) -> np.ndarray:
        """Of a matrix [images, tokens now, tokens first] that says who became part of whom."""
        part = source[:, :, self._prefix:]
        groups = as_array(part.argmax(dim=1)).astype(np.int32)
        groups[as_array(part.amax(dim=1)) == 0] = -1
        # The numbers count prefix tokens too, and may be as large as there were tokens.
        for row in groups:
            kept = row >= 0
            row[kept] = np.unique(row[kept], return_inverse=True)[1]
        return groups

    def _end(self, _module: Any, _inputs: Tuple[Any, ...], output: Any) -> None:
        if isinstance(output, (tuple, list)) and output:  # public PiToMe returns FLOPs beside
            output = output[0]
        if getattr(output, "ndim", 0) == 2:
            self.logits(output)

    # ------------------------------------------------------------------ and all others

    def block(self, index: int, *, groups: Any, survivors: Any = None, salience: Any = None,
              attention: Any = None, features: Any = None, tokens_in: Any = None) -> None:
        """Block `index` (from 0) of one image, or of several at once; called again, of the next.

        groups: [patches] or [images, patches], whole numbers from 0 to patches - 1; the same number
            is one token, -1 one that was dropped.
        survivors: alike, the patch whose token each group became.
        salience: alike, any finite numbers.
        attention: [heads, patches] or [images, heads, patches], the class token's.
        features: [patches, width] or [images, patches, width].
        tokens_in: one number or one an image, prefix included.
        """
        if index < 0:
            raise ValueError(f"block {index} cannot be recorded: blocks count from 0")
        given = {"groups": (groups, 2, "iu"), "survivors": (survivors, 2, "iu"),
                 "salience": (salience, 2, "fiu"), "attention": (attention, 3, "fiu"),
                 "features": (features, 3, "fiu"), "tokens_in": (tokens_in, 1, "iu")}
        arrays = {}
        for name, (values, rank, kinds) in given.items():
            if values is None:
                continue
            array = as_array(values)
            if array.ndim == rank - 1:
                array = array[None]
            if array.ndim != rank or array.dtype.kind not in kinds:
                wanted = "whole numbers" if kinds == "iu" else "numbers"
                raise ValueError(f"block {index}: {name} is of shape {list(np.shape(values))} and type "
                                 f"{array.dtype}: {wanted} with {rank - 1} or {rank} dimensions are "
                                 "expected")
            arrays[name] = array
        self._check(index, arrays)
        kept = self._blocks.setdefault(index, {})
        for name, array in arrays.items():
            as_type = np.int32 if name in ("groups", "survivors", "tokens_in") else \
                np.float16 if name == "features" else np.float32
            kept.setdefault(name, []).append(np.array(array, as_type))

    def _check(self, index: int, arrays: Mapping[str, np.ndarray]) -> None:
        images, patches = arrays["groups"].shape
        if self._grid is None:
            side = math.isqrt(patches)
            if side * side != patches:
                raise ValueError(f"block {index}: {patches} patches are no square: "
                                 "Recorder(grid=(rows, columns)) says how they lie")
            self._grid = (side, side)
        rows, columns = self._grid
        for name, array in arrays.items():
            place = -1 if name in ("salience", "attention", "groups", "survivors") else 1
            if array.shape[0] != images or (name != "tokens_in" and
                                            array.shape[place] != rows * columns):
                raise ValueError(f"block {index}: {name} is of shape {list(array.shape)}: {images} "
                                 f"image(s) on a grid of {rows} x {columns} patches are expected")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"block {index}: {name} holds numbers that are not finite")
        for name, lowest in (("groups", -1), ("survivors", 0)):
            values = arrays.get(name)
            if values is None or values.size == 0:
                continue
            if values.min() < lowest or values.max() >= patches:
                raise ValueError(f"block {index}: {name} holds numbers from {values.min()} to "
                                 f"{values.max()}: {lowest} to {patches - 1} are possible")

    def logits(self, logits: Any, baseline: Any = None) -> None:
        """[classes] or [images, classes], of the merged and of the unmerged model."""
        self._append("logits", logits)
        if baseline is not None:
            self._append("baseline_logits", baseline)

    def flops(self, flops: Any, baseline: Any = None) -> None:
        """Billions of multiply-accumulates: one number, or one an image."""
        self._append("flops", np.atleast_1d(as_array(flops)), rank=1)
        if baseline is not None:
            self._append("baseline_flops", np.atleast_1d(as_array(baseline)), rank=1)

    def _append(self, name: str, values: Any, rank: int = 2) -> None:
        array = as_array(values)
        array = array[None] if array.ndim == rank - 1 else array
        if array.ndim != rank or not np.isfinite(array).all():
            raise ValueError(f"{name} of shape {list(array.shape)} cannot be recorded: "
                             f"{rank} dimensions of finite numbers are expected")
        self._whole.setdefault(name, []).append(
            array.astype(np.float64 if rank == 1 else np.float32))

    # ------------------------------------------------------------------ the file

    @property
    def groups(self) -> List[np.ndarray]:
        """What was recorded: per block [images, patches]."""
        return [np.concatenate(self._blocks[index]["groups"]) for index in sorted(self._blocks)]

    def save(self, path: Union[str, "os.PathLike[str]"]) -> Path:
        """Writes the trace, whole or not at all, and returns its path."""
        path = Path(path)
        if not path.name.lower().endswith(TRACE_EXTENSION):
            path = path.with_name(path.name + TRACE_EXTENSION)
        if not self._blocks:
            raise ValueError("nothing was recorded: run the model within 'with', or call rec.block")
        depth = max(self._blocks) + 1
        for index in range(depth):
            if index not in self._blocks:
                raise ValueError(f"block {index} was not recorded, though block {depth - 1} was: "
                                 "every block from 0 on needs groups")
        images = sum(len(part) for part in self._blocks[0]["groups"])
        tensors: Dict[str, np.ndarray] = {}
        for index, parts in self._blocks.items():
            for name, arrays in parts.items():
                tensors[f"block.{index}.{name}"] = np.concatenate(arrays)
        for name, arrays in self._whole.items():
            tensors[name] = np.concatenate(arrays)
        for name, array in tensors.items():
            if len(array) != images:
                raise ValueError(f"{name} was recorded of {len(array)} image(s), block.0.groups of "
                                 f"{images}")
        names = self._names
        stored, paths = self._pictures(images)
        for number, picture in stored.items():
            tensors[f"image.{number}"] = picture
        if names is None:
            names = [paths.get(number, f"image-{number}") for number in range(images)]
        if len(names) != images:
            raise ValueError(f"{len(names)} names were given for {images} recorded image(s)")
        rows, columns = self._grid or (0, 0)
        metadata = {
            "format": "adamerge-trace", "version": "1", "model": self._model_name or "",
            "method": self._method or "", "settings": json.dumps(self._settings or {}, default=str),
            "grid": json.dumps([rows, columns]), "prefix_tokens": str(self._prefix),
            "images": json.dumps([str(name) for name in names]),
            "producer": "adamerge.Recorder (Python)",
        }
        if self._classes is not None:
            metadata["classes"] = json.dumps([str(label) for label in self._classes])
        if self._rate is not None:
            metadata["rate"] = json.dumps(float(self._rate))
        _safetensors.write(path, tensors, metadata)
        return path

    def _pictures(self, images: int) -> Tuple[Dict[int, np.ndarray], Dict[int, str]]:
        """Those to be stored, and paths of the others."""
        image = self._image
        if image is None:
            given: Sequence[Any] = [picture for batch in self._inputs for picture in self._shown(batch)]
        elif isinstance(image, (str, os.PathLike)) or hasattr(image, "convert"):
            given = [image]
        elif isinstance(image, (list, tuple)):
            given = image
        else:
            array = as_array(image)
            given = self._shown(array) if array.dtype.kind == "f" else \
                [array] if array.ndim == 3 else list(array)
        if given and len(given) != images:
            raise ValueError(f"{len(given)} picture(s) were given for {images} recorded image(s)")
        stored: Dict[int, np.ndarray] = {}
        paths: Dict[int, str] = {}
        for number, picture in enumerate(given):
            if isinstance(picture, (str, os.PathLike)):
                paths[number] = os.path.abspath(os.fspath(picture))
            else:
                stored[number] = _picture(picture)
        return stored, paths

    def _shown(self, batch: np.ndarray) -> List[np.ndarray]:
        """Pictures of a normalised tensor [images, 3, height, width]."""
        batch = batch[None] if batch.ndim == 3 else batch
        if batch.ndim != 4 or batch.shape[1] != 3:
            raise ValueError(f"a tensor of shape {list(batch.shape)} holds no pictures: "
                             "[images, 3, height, width] is expected")
        mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (self._mean, self._std))
        colours = np.clip(np.rint((batch * std + mean) * 255), 0, 255).astype(np.uint8)
        return list(colours.transpose(0, 2, 3, 1))


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, list, tuple))


def _merging_info(model: Any) -> Optional[Dict[str, Any]]:
    for name in _INFO_NAMES:
        info = getattr(model, name, None)
        if isinstance(info, dict) and "source" in info:
            return info
    return None


def _config(model: Any) -> Mapping[str, Any]:
    config = getattr(model, "pretrained_cfg", None) or getattr(model, "default_cfg", None)
    return config if isinstance(config, Mapping) else {}


def _name_of(model: Any) -> str:
    config = _config(model)
    name = config.get("architecture") or (type(model).__name__ if model is not None else "")
    return f"{name}.{config['tag']}" if config.get("tag") else str(name)


def _grid_of(model: Any) -> Optional[Tuple[int, int]]:
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    return (int(grid[0]), int(grid[1])) if grid is not None else None


def _prefix_of(model: Any) -> int:
    known = getattr(model, "num_prefix_tokens", None)
    if known is not None:
        return int(known)
    return sum(getattr(model, name, None) is not None for name in ("cls_token", "dist_token"))
