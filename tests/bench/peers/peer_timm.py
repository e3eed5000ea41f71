# SPDX-License-Identifier: GPL-3.0-or-later
"""timm in PyTorch, as its documentation shows, or compiled: the unmerged model."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

import torch_model
import torch
import worker


def serve(model: torch.nn.Module, options: Namespace, about: dict[str, object]) -> None:
    """Answers requests until its input ends. Also serves timm models that somebody has patched."""
    dtype = getattr(torch, options.dtype)
    model = model.to(options.device, dtype)
    if options.compile:
        model = torch_model.compiled(model)

    def to_device(images: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(images).to(options.device, dtype)

    def logits(images: np.ndarray) -> np.ndarray:
        return model(to_device(images)).float().cpu().numpy()

    def prepare(images: np.ndarray):
        batch = to_device(images)

        def forward() -> None:
            model(batch)
            if batch.is_cuda:
                torch.cuda.synchronize()

        return forward

    # Compiled code with constant weights is made under no_grad() only.
    with torch.no_grad() if options.compile else torch.inference_mode():
        worker.serve(about, worker.read_images(options.folder), logits, prepare)


def main() -> None:
    options = torch_model.arguments()
    torch.set_num_threads(options.threads)
    serve(torch_model.load(options.folder), options, torch_model.about())


if __name__ == "__main__":
    main()
