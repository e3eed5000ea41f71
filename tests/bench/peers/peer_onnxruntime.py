# SPDX-License-Identifier: GPL-3.0-or-later
"""ONNX Runtime by its Python module, float32: FOLDER/model.onnx, all graph optimisations."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime

import worker


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(str(options.folder / "model.onnx"), settings,
                                           providers=["CPUExecutionProvider"])

    def logits(images: np.ndarray) -> np.ndarray:
        return session.run(None, {"image": images})[0]

    def prepare(images: np.ndarray):
        return lambda: logits(images)

    worker.serve({"onnxruntime": onnxruntime.__version__, "threads": options.threads},
                 worker.read_images(options.folder), logits, prepare)


if __name__ == "__main__":
    main()
