# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Python peers share: a long-lived process that answers one JSON line for each it reads.

    {"logits": true}           -> {"logits": [[...], ...]} of all images in input.f32
    {"batch": 8, "runs": 3}    -> {"ms": [...]}, one wall time for each forward pass, and
                                  "peak_bytes", the most memory that the process has had so far

The first line that it writes is {"ready": ...}, with what a record should name (versions, BLAS).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from random_model import side_of

Forward = Callable[[], object]


def serve(about: dict[str, object], images: np.ndarray,
          logits: Callable[[np.ndarray], np.ndarray],
          prepare: Callable[[np.ndarray], Forward]) -> None:
    """`prepare` brings a batch to where it is to be used and returns one whole forward pass."""
    # Libraries print what they like to standard output; the answers keep a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, object]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    prepared: dict[int, Forward] = {}
    answer({"ready": about})
    for line in sys.stdin:
        request = json.loads(line)
        if "logits" in request:
            answer({"logits": logits(images).tolist()})
            continue
        batch = request["batch"]
        if batch not in prepared:
            prepared[batch] = prepare(np.resize(images, (batch, *images.shape[1:])))
        times = []
        for _ in range(request["runs"]):
            start = time.perf_counter()
            prepared[batch]()
            times.append(1e3 * (time.perf_counter() - start))
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer({"ms": times, "peak_bytes": peak})


def read_images(folder: Path) -> np.ndarray:
    """[images, 3, height, width], float32."""
    side = side_of(folder)
    return np.fromfile(folder / "input.f32", "<f4").reshape(-1, 3, side, side)
