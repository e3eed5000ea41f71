# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging methods on keys at hand, to check other code against."""

from __future__ import annotations

import sys
from typing import Any, List, Mapping, Optional, Tuple, Union

import numpy as np

from . import _core_access, _worker
from ._errors import Error
from .model import written


class Merged:
    """What a method decided for one image's tokens. Positions count all tokens on entry, prefix included."""

    groups: np.ndarray  #: per patch, the same number is one token, -1 dropped; int32
    sizes: np.ndarray  #: per token that stays, the patches it stands for (of a prefix token 1); float32
    order: np.ndarray  #: the tokens that stay, as positions, prefix first; int64
    positions: np.ndarray  #: per token on entry its place in `order`, a merged one's is its destination's; int32
    merges: np.ndarray  #: [merges, 2] of source and destination; int64
    similarity: np.ndarray  #: per merge, the method's own score; float32
    dropped: np.ndarray  #: positions of tokens that leave without a trace; int64
    salience: Optional[np.ndarray]  #: per patch token; None: the method has none
    redundancy: Optional[float]

    def __init__(self, told: Any):
        self._told = told  # by name, as the module packs it

    def __getattr__(self, name: str) -> Any:
        """What is asked for is made then, and kept."""
        if name not in Merged.__annotations__:
            raise AttributeError(f"Merged has no '{name}', but {', '.join(Merged.__annotations__)}")
        value = _core_access.unpacked(self._told[name])
        setattr(self, name, value)
        return value

    def __dir__(self) -> List[str]:
        return list(Merged.__annotations__)

    def __reduce__(self) -> Any:
        return Merged, ({name: self._told[name] for name in Merged.__annotations__},)

    def __repr__(self) -> str:
        return f"<{len(self.positions)} tokens > {len(self.order)}>"


_TYPES = ("float32", "float64", "float16", "bfloat16")


def _readable(keys: Any) -> Tuple[np.ndarray, str]:
    """A view of what lies on the CPU, and its type; half precision as the integers of its bits."""
    device = str(getattr(keys, "device", "cpu"))
    if not device.lower().startswith(("cpu", "tfrt_cpu")):
        raise Error(f"the keys lie on {device}, and merge reads them on the CPU: keys.cpu() brings them there")
    if getattr(keys, "layout", None) is not None and not str(keys.layout).endswith("strided"):
        raise Error(f"the keys are {keys.layout}, and merge reads dense ones: keys.to_dense() makes them so")
    if hasattr(keys, "detach"):
        keys = keys.detach()
    dtype = str(getattr(keys, "dtype", "")).replace("torch.", "")
    if dtype == "bfloat16":
        keys = keys.view(np.int16 if isinstance(keys, np.ndarray) else sys.modules["torch"].int16)
    if isinstance(keys, np.ndarray):
        array = keys
    elif hasattr(keys, "__dlpack__") and hasattr(np, "from_dlpack"):
        array = np.from_dlpack(keys)
    else:
        array = np.asarray(keys)
    if array.size == 0:
        raise Error(f"keys of shape {list(array.shape)} hold no token to merge")
    if array.ndim not in (2, 3):
        raise Error(f"keys of shape {list(array.shape)} cannot be merged: [tokens, width] or [images, tokens, width] "
                    "is expected")
    whole = all(stride >= 0 and stride % max(1, array.itemsize) == 0 for stride in array.strides)
    if not (whole and array.dtype.isnative):
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    if dtype != "bfloat16":
        dtype = array.dtype.name
    if dtype not in _TYPES:
        raise Error(f"keys of type {dtype} cannot be merged: float32, float64, float16 or bfloat16 are expected")
    return array.view(np.int16) if dtype in ("bfloat16", "float16") else array, dtype


def merge(method: str, keys: Any, *, prefix: int = 0, grid: Optional[Tuple[int, int]] = None, block: int = 0,
          depth: int = 12, groups: Any = None, **settings: Any) -> Union[Merged, List[Merged]]:
    """What `method` would do with these tokens: `adamerge.merge("tome", keys, r=8, prefix=1)`.

    Parameters
    ----------
    keys: [tokens, width] or [images, tokens, width] of one image, or of several with a list as the result: what the
        method compares, the attention keys' mean over heads for ToMe, PiToMe, ToFu, DSM and ATC, the tokens
        themselves for AdaMerge and CubistMerge. A NumPy array, or a tensor on the CPU of PyTorch or of any library
        with DLPack; float32, float64, float16, bfloat16. It is read where it lies.
    prefix: class and register tokens before the patches, which never merge.
    grid: rows and columns of patches; None: a square.
    block, depth: which block of how many, for methods whose counts change with it.
    groups: of an earlier merge (`Merged.groups`), per patch the patch token of `keys` that it is in; None: every
        patch is a token.
    settings: of the method, with the command line's names: r=8, r_max=16, keep_ratio=0.9, stats="stats.json".
    """
    core, way = _core_access.chosen()
    if way == "module":
        kept = core.merge_kept(method, keys, prefix, grid, block, depth, groups, settings)
        if kept is not None:
            return kept
    return _prepared(core, method, keys, prefix, grid, block, depth, groups, settings)


def _prepared(core: Any, method: str, keys: Any, prefix: int, grid: Optional[Tuple[int, int]], block: int, depth: int,
              groups: Any, settings: Mapping[str, Any]) -> Union[Merged, List[Merged]]:
    """merge() where nothing is known yet."""
    if core is None:
        raise Error("merge needs the core as a Python module, which is not here: the Debian package has it, and "
                    "'make python' builds it")
    array, dtype = _readable(keys)
    count, width = array.shape[-2:]
    if groups is not None:
        groups = np.asarray(groups).tolist()
    made_for = (method, tuple(written(settings)), count, width, count - prefix if groups is None else len(groups),
                prefix, grid, block, depth)
    if _core_access.way() == "module":
        merger = _worker.merger_for(core, groups, made_for)
        merged = merger(array, dtype, groups)
        if groups is None:
            core.keep(merger, np.ndarray, Merged, settings, method, prefix, grid, block, depth)
    else:
        merged = core.merge(array, dtype, groups, made_for)
    return [Merged(one) for one in merged] if type(merged) is list else Merged(merged)
