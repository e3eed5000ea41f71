# SPDX-License-Identifier: GPL-3.0-or-later
"""ToMe's own code (facebookresearch/ToMe) on timm: r tokens merged in every block."""

from __future__ import annotations

import torch_model
import peer_timm
import tome
import torch


def main() -> None:
    options = torch_model.arguments()
    torch.set_num_threads(options.threads)
    model = torch_model.load(options.folder)
    tome.patch.timm(model)
    model.r = options.r
    peer_timm.serve(model, options, {**torch_model.about(), "tome": "facebookresearch/ToMe"})


if __name__ == "__main__":
    main()
