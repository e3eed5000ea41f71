# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups recorded from the public code of ToMe and PiToMe on timm's network, against ours on the same
weights and picture; public_code.sh says what it needs."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

import numpy as np
import timm
import torch

import adamerge
from adamerge import _safetensors

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "vit-tiny-cifar10"
SAMPLES = sorted((ROOT / "resources" / "samples").glob("*.png"))


def load(package, folder):
    """A module without its packages' own imports, which ask for much that is not used here."""
    parts = package.split(".")
    for depth in range(1, len(parts)):
        name = ".".join(parts[:depth])
        module = sys.modules.setdefault(name, types.ModuleType(name))
        module.__path__ = [str(Path(folder).joinpath(*parts[:depth]))]
    return importlib.import_module(package)


def network():
    config = json.loads((MODEL / "config.json").read_text())
    return timm.create_model(config["architecture"], num_classes=config["num_classes"],
                             checkpoint_path=str(MODEL / "model.safetensors"),
                             **config["model_args"]).eval()


class OlderTimm(timm.models.VisionTransformer):
    def forward(self, x):
        return self.head(self.forward_features(x))


def ours(folder, picture, *options):
    path = folder / "ours.adamerge-trace"
    subprocess.run([os.environ["ADAMERGE_PROGRAM"], "inspect", str(picture), "--model", str(MODEL), "--dtype", "float32",
                    "--trace", str(path), "--quiet", *options], check=True, stdout=subprocess.DEVNULL)
    return _safetensors.read(path)[0]


def normalised(view):
    return (torch.from_numpy(view.copy()).permute(2, 0, 1)[None].float() / 255 - 0.5) / 0.5


def same_groups(one, other):
    """As partitions: numbers may differ."""
    return all(len(set(zip(a, b))) == len(set(a)) == len(set(b))
               for a, b in zip(one.tolist(), other.tolist()))


class PublicCode(unittest.TestCase):
    def compare(self, patch, options):
        for picture in SAMPLES:
            with self.subTest(picture=picture.name), tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                expected = ours(folder, picture, *options)
                model = network()
                patch(model)
                with torch.no_grad(), adamerge.Recorder(model) as rec:
                    model(normalised(expected["image.0"]))
                got = _safetensors.read(rec.save(folder / "public"))[0]
                np.testing.assert_array_equal(got["image.0"], expected["image.0"])
                for block in range(12):
                    self.assertTrue(
                        same_groups(got[f"block.{block}.groups"], expected[f"block.{block}.groups"]),
                        f"block {block}")
                    self.assertEqual(got[f"block.{block}.tokens_in"], expected[f"block.{block}.tokens_in"])
                np.testing.assert_allclose(got["logits"], expected["logits"], atol=2e-3)

    def test_tome(self):
        def patch(model):
            load("tome.patch.timm", os.environ["TOME"]).apply_patch(model)
            model.r = 12

        self.compare(patch, ["--method", "tome", "--r", "12"])

    def test_pitome(self):
        def patch(model):
            # What its network takes from older versions of timm.
            model.dist_token, model.pre_logits = None, torch.nn.Identity()
            model.__class__ = OlderTimm
            load("algo.pitome.patch.deit", os.environ["PITOME"]).apply_patch(model)
            model.ratio = 0.9

        self.compare(patch, ["--method", "pitome", "--keep-ratio", "0.9"])


if __name__ == "__main__":
    unittest.main()
