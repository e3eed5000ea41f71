# SPDX-License-Identifier: GPL-3.0-or-later
"""DataLoader's workers after `import adamerge`, forked and spawned: none hangs, and what they compute is right.

public_code.sh runs it with the newest PyTorch."""

import unittest
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import adamerge

BIRD = Path(__file__).resolve().parents[2] / "resources" / "samples" / "bird.png"
PATIENCE = 180  # seconds for one batch; a worker that hangs is an error


def keys(seed):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((65, 32)).astype(np.float32))


class Keys(Dataset):
    """Keys alone, as of any data; or merged in the worker."""

    def __init__(self, merges, model=None):
        self.merges, self.model = merges, model

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if self.model is not None:
            return torch.tensor(self.model.inspect(BIRD, method="tome", r=index + 1).logits)
        if not self.merges:
            return keys(index)
        return torch.tensor(adamerge.merge("tome", keys(index), r=8, prefix=1).groups)


class LoaderTest(unittest.TestCase):
    def batches(self, dataset, start):
        loader = DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context=start, timeout=PATIENCE)
        return torch.cat(list(loader)).numpy()

    def test_workers_load_while_the_parent_merges(self):
        for start in ("fork", "spawn"):
            with self.subTest(start=start):
                loader = DataLoader(Keys(False), batch_size=4, num_workers=2, multiprocessing_context=start,
                                    timeout=PATIENCE)
                for number, batch in enumerate(loader):
                    for one, merged in enumerate(adamerge.merge("tome", batch, r=8, prefix=1)):
                        alone = adamerge.merge("tome", keys(4 * number + one), r=8, prefix=1)
                        np.testing.assert_array_equal(merged.groups, alone.groups)

    def test_workers_merge(self):
        expected = [adamerge.merge("tome", keys(seed), r=8, prefix=1).groups for seed in range(8)]
        for start in ("fork", "spawn"):
            with self.subTest(start=start):
                np.testing.assert_array_equal(self.batches(Keys(True), start), expected)

    def test_workers_run_a_model_of_their_parent_s(self):
        model = adamerge.Model("vit-tiny-cifar10", dtype="float32", threads=1)
        expected = [model.inspect(BIRD, method="tome", r=r + 1).logits for r in range(8)]
        for start in ("fork", "spawn"):
            with self.subTest(start=start):
                np.testing.assert_array_equal(self.batches(Keys(False, model), start), expected)

    def test_a_tensor_elsewhere_is_said(self):
        with self.assertRaisesRegex(adamerge.Error, r"the keys lie on meta, .*keys.cpu\(\)"):
            adamerge.merge("tome", torch.empty((65, 32), device="meta"), prefix=1)
        with self.assertRaisesRegex(adamerge.Error, r"keys.to_dense\(\)"):
            adamerge.merge("tome", keys(0).to_sparse(), prefix=1)
        for dtype in (torch.float16, torch.bfloat16, torch.float64):
            k = keys(0).to(dtype)
            np.testing.assert_array_equal(adamerge.merge("tome", k, prefix=1, r=8).merges,
                                          adamerge.merge("tome", k.double().numpy(), prefix=1, r=8).merges)


if __name__ == "__main__":
    unittest.main()
