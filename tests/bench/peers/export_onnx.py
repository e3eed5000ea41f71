# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports timm's model of a model folder to FOLDER/model.onnx, float32, any batch size."""

from __future__ import annotations

import torch_model
import torch
from random_model import side_of

# The first with LayerNormalization as one node.
OPSET = 17


def main() -> None:
    folder = torch_model.arguments().folder
    side = side_of(folder)
    torch.onnx.export(torch_model.load(folder), torch.zeros(2, 3, side, side),
                      str(folder / "model.onnx"), opset_version=OPSET,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})


if __name__ == "__main__":
    main()
