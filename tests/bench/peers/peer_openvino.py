# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenVINO by its Python module: FOLDER/model.onnx, compiled for the CPU and each batch size."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openvino

import worker

PRECISION = {"float32": "f32", "bfloat16": "bf16"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32", choices=PRECISION)
    options = parser.parse_args()
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": PRECISION[options.dtype]}

    def compiled(images: np.ndarray):
        model = core.read_model(options.folder / "model.onnx")
        model.reshape(list(images.shape))
        return core.compile_model(model, "CPU", settings).create_infer_request()

    def logits(images: np.ndarray) -> np.ndarray:
        return compiled(images).infer([images])[0]

    def prepare(images: np.ndarray):
        request = compiled(images)
        request.set_input_tensor(openvino.Tensor(images, shared_memory=True))
        return request.infer

    worker.serve({"openvino": openvino.__version__, "threads": options.threads},
                 worker.read_images(options.folder), logits, prepare)


if __name__ == "__main__":
    main()
