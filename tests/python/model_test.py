# SPDX-License-Identifier: GPL-3.0-or-later
"""`adamerge.Model`, by way of the built program (ADAMERGE_PROGRAM)."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import adamerge

ROOT = Path(__file__).resolve().parents[2]
BIRD = ROOT / "resources" / "samples" / "bird.png"


class ModelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = adamerge.Model("vit-tiny-cifar10", dtype="float32", threads=1)
        cls.inspected = cls.model.inspect(BIRD, method="tome", r=8)

    def test_says_what_the_command_line_says(self):
        out = subprocess.run([os.environ["ADAMERGE_PROGRAM"], "inspect", str(BIRD), "--model", "vit-tiny-cifar10", "--method", "tome",
                              "--r", "8", "--dtype", "float32", "--threads", "1", "--json", "-", "--quiet"],
                             capture_output=True, text=True, check=True).stdout
        report = json.loads(out)
        self.assertEqual(self.inspected.report["logits"], report["logits"])
        self.assertEqual(len(self.inspected.blocks), 12)
        for block, layer in zip(self.inspected.blocks, report["layers"]):
            np.testing.assert_array_equal(block.groups, layer["groups"])
            self.assertEqual(block.tokens, layer["tokens_out"])
        self.assertIsNone(self.inspected.blocks[0].salience, "ToMe has none")
        self.assertEqual(self.inspected.flops, report["flops"])
        self.assertEqual(self.model.info["name"], "vit-tiny-cifar10")
        self.assertIn("tokens 197 > 109 > 101", repr(self.inspected))

    def test_figures(self):
        figure = self.inspected.figure("groups", block=5)
        self.assertIn("block 6 of 12", figure._repr_svg_())
        with tempfile.TemporaryDirectory() as folder:
            path = figure.save(Path(folder) / "f.pdf")
            self.assertTrue(path.read_bytes().startswith(b"%PDF"))
            self.assertEqual(adamerge._safetensors.read(self.inspected.save(Path(folder) / "t.adamerge-trace"))[1]["method"],
                             "ToMe")
        with self.assertRaisesRegex(adamerge.Error, r"\.svg, \.png or \.pdf"):
            figure.save("f.txt")

    def test_pictures_in_memory(self):
        pixels = np.zeros((56, 60, 3), np.uint8)
        pixels[20:40] = (200, 30, 30)
        run = self.model.inspect(pixels, method="adamerge", r_max=4)
        chw = self.model.inspect(pixels.transpose(2, 0, 1).astype(np.float32) / 255, r_max=4)
        self.assertEqual(run.logits.tolist(), chw.logits.tolist())
        self.assertEqual(run.blocks[0].salience.shape, (196,))

    def test_errors_are_the_core_s_sentences(self):
        for call, sentence in [
            (lambda: self.model.inspect("none.png"), "none.png: there is no such file"),
            (lambda: self.model.inspect(BIRD, method="mine"), "there is no method 'mine'; known are"),
            (lambda: self.model.inspect(np.zeros((4, 4))), r"shape \[4, 4\]"),
            (lambda: self.model.inspect(np.full((4, 4, 3), 2.0)), "from 0 to 1"),
            (lambda: self.model.inspect(np.zeros((4, 4, 3), np.int32)), "type int32"),
            (lambda: adamerge.Model("/no/such/model"), "/no/such/model"),
        ]:
            with self.assertRaisesRegex(adamerge.Error, sentence):
                call()


if __name__ == "__main__":
    unittest.main()
