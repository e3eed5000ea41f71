# SPDX-License-Identifier: GPL-3.0-or-later
"""The safetensors format, as far as traces need it, with NumPy alone."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import tempfile
from pathlib import Path
from typing import Dict, Mapping, Tuple, Union

import numpy as np

_NAMES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16",
    "int32": "I32", "int64": "I64", "uint8": "U8", "bool": "BOOL",
}
_TYPES = {name: np.dtype(numpy) for numpy, name in _NAMES.items()}


def write(path: Union[str, Path], tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Writes beside `path` and renames, so that a reader sees the old file or the whole new one."""
    header: Dict[str, object] = {"__metadata__": dict(metadata)}
    arrays, end = [], 0
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        header[name] = {"dtype": _NAMES[array.dtype.name], "shape": list(tensors[name].shape),
                        "data_offsets": [end, end + array.nbytes]}
        arrays.append(array)
        end += array.nbytes
    text = json.dumps(header, ensure_ascii=False).encode("utf-8", "replace")
    text += b" " * (-len(text) % 8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in arrays:
                file.write(array.data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read(path: Union[str, Path]) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Tensors and metadata. Raises ValueError where the file is not whole."""
    bytes_ = Path(path).read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", bytes_)
        header = json.loads(bytes_[8:8 + length])
        metadata = header.pop("__metadata__", {})
        data = memoryview(bytes_)[8 + length:]
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[begin:end], _TYPES[entry["dtype"]])
            tensors[name] = values.reshape(entry["shape"])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: is no whole safetensors file: {error}") from None
    return tensors, metadata
