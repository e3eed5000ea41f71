# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure-Python part of the package, with NumPy alone; traces are read back by `adamerge inspect`.

ADAMERGE_PROGRAM names the built command line.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np

import adamerge
from adamerge import _safetensors

PROGRAM = os.environ.get("ADAMERGE_PROGRAM", "")


class Tensor(np.ndarray):
    """As much of torch's tensor as the recorder asks for."""

    def argmax(self, dim):
        return np.asarray(self).argmax(axis=dim)

    def amax(self, dim):
        return np.asarray(self).max(axis=dim)


class Module:
    def __init__(self):
        self.hooks, self.pre_hooks = [], []

    def register_forward_hook(self, hook):
        return self._register(self.hooks, hook)

    def register_forward_pre_hook(self, hook):
        return self._register(self.pre_hooks, hook)

    @staticmethod
    def _register(hooks, hook):
        hooks.append(hook)
        handle = type("Handle", (), {})()
        handle.remove = lambda: hooks.remove(hook)
        return handle

    def __call__(self, x):
        for hook in self.pre_hooks:
            hook(self, (x,))
        y = self.forward(x)
        for hook in self.hooks:
            hook(self, (x,), y)
        return y


class Block(Module):
    """Merges the last token into the one before it, as public ToMe keeps account of it."""

    def __init__(self, info, merges):
        super().__init__()
        self.info, self.merges = info, merges

    def forward(self, x):
        if not self.merges:
            return x
        images, tokens = x.shape[:2]
        if self.info["trace_source"]:
            source = self.info["source"]
            if source is None:
                source = np.tile(np.eye(tokens), (images, 1, 1))
            joined = np.maximum(source[:, -2:-1], source[:, -1:])
            self.info["source"] = np.concatenate([source[:, :-2], joined], axis=1).view(Tensor)
        return x[:, :-1]


class Patched(Module):
    num_prefix_tokens = 1
    r = 1

    def __init__(self, merges=(False, True, True)):
        super().__init__()
        self._tome_info = {"source": None, "trace_source": False}
        self.blocks = [Block(self._tome_info, merge) for merge in merges]

    def forward(self, image):
        self._tome_info["source"] = None
        x = np.zeros((len(image), 7, 4))
        for block in self.blocks:
            x = block(x)
        return np.tile(np.array([0.0, 2.0, 1.0]), (len(image), 1))


def inspect(path):
    run = subprocess.run([PROGRAM, "inspect", str(path), "--json", "-", "--quiet"],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


class RecorderTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_records_a_patched_model(self):
        model = Patched()
        image = np.full((2, 3, 4, 6), 0.25, np.float32)
        with adamerge.Recorder(model, grid=(2, 3), classes=["cat", "dog", "bird"]) as rec:
            model(image)
        self.assertFalse(model._tome_info["trace_source"], "the model is as before")
        self.assertEqual([block.hooks for block in model.blocks], [[], [], []])
        path = rec.save(self.folder / "run")
        self.assertEqual(path.name, "run.adamerge-trace")
        tensors, metadata = _safetensors.read(path)
        np.testing.assert_array_equal(tensors["block.0.groups"], [[0, 1, 2, 3, 4, 5]] * 2)
        np.testing.assert_array_equal(tensors["block.1.groups"], [[0, 1, 2, 3, 4, 4]] * 2)
        np.testing.assert_array_equal(tensors["block.2.groups"], [[0, 1, 2, 3, 3, 3]] * 2)
        np.testing.assert_array_equal(tensors["block.2.tokens_in"], [6, 6])
        self.assertEqual(json.loads(metadata["settings"]), {"r": 1})
        self.assertEqual(metadata["method"], "ToMe")
        # (0.25 * 0.5 + 0.5) * 255 = 159.4
        self.assertEqual(tensors["image.1"].shape, (4, 6, 3))
        self.assertTrue((tensors["image.1"] == 159).all())

    def test_the_core_reads_what_was_saved(self):
        model = Patched()
        with adamerge.Recorder(model, grid=(2, 3), model_name="toy") as rec:
            model(np.zeros((2, 3, 4, 6), np.float32))
            model(np.zeros((1, 3, 4, 6), np.float32))
        report = inspect(rec.save(self.folder / "run.adamerge-trace"))
        self.assertEqual(len(report), 3, "batches follow each other")
        for image in report:
            self.assertEqual(image["model"]["name"], "toy")
            self.assertEqual([layer["groups"] for layer in image["layers"]],
                             [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 3, 3]])
            self.assertEqual([layer["tokens_out"] for layer in image["layers"]], [7, 6, 5])
            self.assertEqual(image["prediction"][0]["class"], "class 1")
            self.assertIsNone(image["flops"]["paper"])

    def test_everything_is_of_as_many_images(self):
        rec = adamerge.Recorder(image=np.zeros((4, 4, 3), np.uint8), method="Mine")
        rec.block(0, groups=[0, 0, 1, 2])
        rec.block(1, groups=[[3, 3, -1, 2], [0, 1, 2, 3]])
        with self.assertRaisesRegex(ValueError, "block.1.groups was recorded of 2 image"):
            rec.save(self.folder / "uneven")

    def test_survivors_and_drops_reach_the_core(self):
        rec = adamerge.Recorder(image=np.zeros((4, 4, 3), np.uint8), method="Mine")
        rec.block(0, groups=[0, 0, 1, 2], survivors=[1, 1, 2, 3], salience=[0.5, 1, 0, 2])
        rec.block(1, groups=[3, 3, -1, 2], survivors=[1, 1, 2, 3])
        rec.flops(1.5, baseline=2)
        report = inspect(rec.save(self.folder / "mine"))
        self.assertEqual(report["layers"][1]["dropped"], [2])
        self.assertEqual(report["layers"][0]["salience"], [0.5, 1, 0, 2])
        self.assertEqual(report["flops"], {"paper": 1.5, "baseline_paper": 2})
        self.assertEqual(report["prediction"], [])

    def test_what_cannot_be_recorded_is_said(self):
        def record(**arrays):
            adamerge.Recorder(grid=(2, 2)).block(0, **arrays)

        good = [0, 1, 2, 3]
        for pattern, arrays in [
            ("groups holds numbers from 0 to 4: -1 to 3", {"groups": [0, 1, 2, 4]}),
            ("whole numbers", {"groups": [0.5, 1, 2, 3]}),
            ("grid of 2 x 2", {"groups": [0, 1, 2]}),
            ("salience is of shape", {"groups": good, "salience": [1, 2, 3]}),
            ("not finite", {"groups": good, "salience": [1, np.nan, 2, 3]}),
            ("survivors holds numbers from -1", {"groups": good, "survivors": [-1, 1, 2, 3]}),
        ]:
            with self.assertRaisesRegex(ValueError, pattern):
                record(**arrays)
        with self.assertRaisesRegex(ValueError, "no square"):
            adamerge.Recorder().block(0, groups=[0, 1, 2])
        with self.assertRaisesRegex(ValueError, "nothing was recorded"):
            adamerge.Recorder().save(self.folder / "empty")
        gap = adamerge.Recorder(image=np.zeros((2, 2, 3), np.uint8))
        gap.block(0, groups=good)
        gap.block(2, groups=good)
        with self.assertRaisesRegex(ValueError, "block 1 was not recorded"):
            gap.save(self.folder / "gap")
        plain = type("Plain", (), {"blocks": [1]})()
        with self.assertRaisesRegex(ValueError, "not patched by ToMe or PiToMe"):
            adamerge.Recorder(plain).__enter__()
        with self.assertRaisesRegex(ValueError, "has no 'blocks'"):
            adamerge.Recorder(object()).__enter__()
        with self.assertRaisesRegex(ValueError, "uint8 is expected"):
            wrong = adamerge.Recorder(image=[np.zeros((4, 4), np.uint8)])
            wrong.block(0, groups=good)
            wrong.save(self.folder / "wrong")
        self.assertEqual(list(self.folder.iterdir()), [], "nothing half-written remains")

    def test_a_path_stands_for_a_picture(self):
        rec = adamerge.Recorder(image="some/cat.png")
        rec.block(0, groups=[0, 1, 2, 3])
        tensors, metadata = _safetensors.read(rec.save(self.folder / "path"))
        self.assertNotIn("image.0", tensors)
        self.assertEqual(json.loads(metadata["images"]), [os.path.abspath("some/cat.png")])


class ShowTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.before = dict(os.environ)
        os.environ["XDG_RUNTIME_DIR"] = str(self.folder)

    def tearDown(self):
        os.environ.clear()
        os.environ.update(self.before)

    def test_a_running_studio_is_asked(self):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.folder / "adamerge-studio.socket"))
        server.listen(1)
        got = []

        def serve():
            connection, _ = server.accept()
            got.append(connection.recv(4096))
            connection.sendall(b"ok\n")
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        file = self.folder / "a b.adamerge-trace"
        file.touch()
        self.assertIsNone(adamerge.show(file))
        thread.join(5)
        server.close()
        self.assertEqual(json.loads(got[0]), {"open": str(file)})

    def test_else_one_is_started(self):
        file = self.folder / "run.adamerge-trace"
        file.touch()
        told = self.folder / "told"
        program = self.folder / "studio"
        program.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > '{told}'\n")
        program.chmod(0o755)
        os.environ["ADAMERGE_STUDIO"] = str(program)
        process = adamerge.show(file)
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(told.read_text(), str(file))

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(FileNotFoundError, "no such file"):
            adamerge.show(self.folder / "none")


class PackageTest(unittest.TestCase):
    def test_import_needs_numpy_alone(self):
        code = ("import sys, adamerge; "
                "print(sorted(m for m in ('torch', 'PIL') if m in sys.modules))")
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(out.stdout.strip(), "[]")


if __name__ == "__main__":
    unittest.main()
