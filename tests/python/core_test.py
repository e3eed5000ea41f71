# SPDX-License-Identifier: GPL-3.0-or-later
"""What the core does in Python's process, or beside it (ADAMERGE_CORE): methods on arrays against plain NumPy, signals,
forks, threads."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from pathlib import Path

import numpy as np

import adamerge
from adamerge import _core_access

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples"


def keys(tokens=197, width=64, seed=0):
    return np.random.default_rng(seed).standard_normal((tokens, width)).astype(np.float32)


def bipartite(k, r, prefix):
    """Bolya et al., appendix D: even positions into odd ones, the r most similar; the class token stays."""
    unit = k / np.linalg.norm(k, axis=1, keepdims=True)
    scores = unit[::2] @ unit[1::2].T
    scores[:(prefix + 1) // 2] = -np.inf
    scores[:, :prefix // 2] = -np.inf
    best = scores.max(axis=1)
    chosen = np.argsort(-best, kind="stable")[:r]
    return {(2 * i, 2 * scores[i].argmax() + 1) for i in chosen}


def merged_groups(k):
    return adamerge.merge("pitome", k, prefix=1).groups


def logits_of(model):
    return model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits


class MergeTest(unittest.TestCase):
    def test_tome_is_the_paper_s(self):
        for seed, prefix in ((1, 1), (2, 0), (3, 5)):
            k = keys(prefix + 64, 32, seed)
            merged = adamerge.merge("tome", k, r=9, prefix=prefix)
            self.assertEqual({tuple(pair) for pair in merged.merges.tolist()}, bipartite(k.astype(float), 9, prefix))

    def test_results_agree_with_each_other(self):
        k = keys()
        for method, settings in (("tome", {"r": 16}), ("pitome", {"keep_ratio": 0.9}), ("adamerge", {"r_max": 16}),
                                 ("tofu", {"r": 16}), ("atc", {}), ("dsm", {"block": 5}), ("structsam", {}),
                                 ("cubistmerge", {"block": 3}), ("none", {})):
            with self.subTest(method=method):
                one = adamerge.merge(method, k, prefix=1, **settings)
                self.assertEqual(one.groups.shape, (196,))
                self.assertEqual(len(one.order), 197 - len(one.merges) - len(one.dropped))
                self.assertEqual(one.order[0], 0, "the class token stays first")
                np.testing.assert_array_equal(one.positions[one.order], np.arange(len(one.order)))
                for source, destination in one.merges:
                    self.assertEqual(one.positions[source], one.positions[destination])
                    self.assertEqual(one.groups[source - 1], one.groups[destination - 1])
                self.assertEqual(len(set(one.groups.tolist())), len(one.order) - 1)
                if method != "tofu":  # which counts pruned ones no more
                    np.testing.assert_array_equal(one.sizes[1:], np.bincount(one.positions[1:])[1:])

    def test_merges_go_on_where_they_were(self):
        first = adamerge.merge("tome", keys(65), r=10, prefix=1)
        second = adamerge.merge("tome", keys(55, seed=1), r=10, prefix=1, block=1, groups=first.groups, grid=(8, 8))
        self.assertEqual(second.sizes.sum(), 65)
        self.assertEqual(second.groups.max() + 1, 44)
        for group in range(54):
            self.assertEqual(len(set(second.groups[first.groups == group])), 1, "groups only grow")

    def test_a_method_that_is_kept_takes_what_each_call_says(self):
        k = keys(65)
        for r, prefix, grid in ((4, 1, None), (8, 1, None), (4, 1, (4, 16)), (4, 2, (7, 9)), (4, 1, None)):
            merged = adamerge.merge("tome", k, prefix=prefix, grid=grid, r=r)
            self.assertEqual({tuple(pair) for pair in merged.merges.tolist()}, bipartite(k.astype(float), r, prefix))
        with self.assertRaisesRegex(adamerge.Error, "65 patches are no square"):
            adamerge.merge("tome", k, r=4)
        with self.assertRaisesRegex(adamerge.Error, "--r takes"):
            adamerge.merge("tome", k, prefix=1, r=4.0)  # equal to what is kept, and no whole number
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder) / "stats.json"
            with adamerge.Model("vit-tiny-cifar10") as model:
                model.calibrate(SAMPLES, path, r_max=8)
            for _ in range(2):
                self.assertGreater(len(adamerge.merge("adamerge", keys(), prefix=1, r_max=8, stats=path).order), 0)
            path.write_text("{}")  # a file may have changed
            with self.assertRaisesRegex(adamerge.Error, "stats.json"):
                adamerge.merge("adamerge", keys(), prefix=1, r_max=8, stats=path)

    def test_parts_are_made_when_asked_for_and_travel(self):
        merged = adamerge.merge("adamerge", keys(65, 192), prefix=1, r_max=8)
        self.assertIs(merged.groups, merged.groups)
        self.assertIsInstance(merged.redundancy, float)
        self.assertEqual(repr(merged), f"<65 tokens > {len(merged.order)}>")
        copy = pickle.loads(pickle.dumps(merged))
        for part in dir(merged):
            np.testing.assert_array_equal(getattr(copy, part), getattr(merged, part))
        self.assertIsNone(adamerge.merge("tome", keys(65), prefix=1, r=8).salience)
        with self.assertRaisesRegex(AttributeError, "Merged has no 'tokens', but groups, sizes, "):
            merged.tokens

    def test_numbers_that_are_not_finite_are_found_anywhere(self):
        for dtype in ("float16", "float32", "float64"):
            for tokens, width in ((4, 1), (9, 7), (65, 64)):
                k = np.full((tokens, width), np.finfo(dtype).max, dtype)
                adamerge.merge("none", k, grid=(1, tokens))
                for where in (0, k.size // 2, k.size - 1):
                    for wrong in (np.nan, -np.nan, np.inf, -np.inf):
                        odd = k.copy()
                        odd.flat[where] = wrong
                        with self.assertRaisesRegex(adamerge.Error, "not finite"):
                            adamerge.merge("none", odd, grid=(1, tokens))
                        with self.assertRaisesRegex(adamerge.Error, "not finite"):
                            adamerge.merge("none", np.asfortranarray(odd), grid=(1, tokens))

    def test_images_and_layouts(self):
        batch = np.stack([keys(65, seed=seed) for seed in range(3)])
        apart = [adamerge.merge("pitome", one, prefix=1) for one in batch]
        for layout in (batch, batch.astype(">f4"), np.asfortranarray(batch), np.repeat(batch, 2, 2)[..., ::2]):
            for one, alone in zip(adamerge.merge("pitome", layout, prefix=1), apart):
                np.testing.assert_array_equal(one.merges, alone.merges)
        half = batch[0].astype(np.float16)
        np.testing.assert_array_equal(adamerge.merge("tome", half, r=4, prefix=1).merges,
                                      adamerge.merge("tome", half.astype(np.float32), r=4, prefix=1).merges)

    def test_what_cannot_be_merged_is_said(self):
        class OnGpu(np.ndarray):
            device = "cuda:0"

        k = keys(65)
        for arguments, settings, sentence in [
            (("tome", k.view(OnGpu)), {}, r"the keys lie on cuda:0, .*keys.cpu\(\)"),
            (("tome", k.astype(int)), {}, "keys of type int64"),
            (("tome", k.astype(complex)), {}, "keys of type complex128"),
            (("tome", k[0]), {}, r"keys of shape \[64\]"),
            (("tome", k[:0]), {}, r"keys of shape \[0, 64\] hold no token"),
            (("tome", k[:1]), {"prefix": 1}, "at least one token must be a patch's"),
            (("tome", k), {}, "65 patches are no square"),
            (("tome", k), {"grid": (5, 5)}, "a grid of 5 x 5 has 25 patches, and there are 65"),
            (("tome", k), {"prefix": 1, "r": 33}, "--r 33 is more than the tokens allow"),
            (("tome", k), {"prefix": 1, "q": 3}, "--q is no setting of tome"),
            (("tome", k), {"prefix": 1, "block": 12}, "block=12 is out of range"),
            (("tome", k), {"prefix": 1, "groups": [0] * 65}, "each of the 64 patch tokens needs a patch"),
            (("tome", k), {"prefix": 1, "groups": [64]}, "groups hold 64"),
            (("tome", np.where(k > 2, np.nan, k)), {"prefix": 1}, "not finite"),
            (("mine", k), {"prefix": 1}, "there is no method 'mine'; known are"),
            (("focus", k), {"prefix": 1}, "'focus' decides by the attention"),
            (("prune-merge", k), {"prefix": 1}, "importance of patches"),
        ]:
            with self.subTest(sentence=sentence), self.assertRaisesRegex(adamerge.Error, sentence):
                adamerge.merge(*arguments, **settings)


class ModelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = adamerge.Model("vit-tiny-cifar10", dtype="float32", threads=2)

    def test_evaluates_step_by_step(self):
        evaluation = self.model.evaluate(SAMPLES, methods=["tome", "adamerge"], r=8, unlabelled=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            steps = list(evaluation)
        self.assertEqual((steps[-1].done, steps[-1].total), (4, 4))
        self.assertEqual([point["method"] for point in evaluation.points], ["none", "tome", "adamerge"])
        self.assertEqual(steps[-1].points, evaluation.points)
        with self.assertRaisesRegex(adamerge.Error, "--q"):
            self.model.evaluate(SAMPLES, q=3)
        with self.assertRaisesRegex(adamerge.Error, "no/such"):
            list(self.model.evaluate("no/such"))

    def test_calibrates(self):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = self.model.calibrate(SAMPLES, Path(folder) / "stats.json", r_max=[8, 16])
            run = self.model.inspect(SAMPLES / "ship.png", r_max=12, stats=path)
        self.assertIsNotNone(run.blocks[3].z)

    def test_figures_of_lenses(self):
        run = self.model.inspect(SAMPLES / "ship.png", method="tome", r=8)
        self.assertIn("block 4 of 12", run.figure("similarity", block=3, patch="3,4")._repr_svg_())
        with self.assertRaisesRegex(adamerge.Error, "--layer 12 is out of range"):
            run.figure("groups", block=12).data("png")

    def test_a_closed_model_says_so(self):
        with adamerge.Model("vit-tiny-cifar10") as model:
            run = model.inspect(SAMPLES / "ship.png", method="tome")
        with self.assertRaisesRegex(adamerge.Error, "the model is closed"):
            model.inspect(SAMPLES / "ship.png")
        self.assertEqual(run.blocks[0].tokens_in, 197, "results stay")

    def test_threads(self):
        expected = self.model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits
        results = []

        def work():
            results.append(self.model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits)
            adamerge.merge("pitome", keys(), prefix=1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 4)
        for logits in results:
            np.testing.assert_array_equal(logits, expected)

    def test_a_fork_s_child_computes(self):
        large = keys(65 * 64 + 1)  # more than the calling thread would take alone
        adamerge.merge("tome", large, r=64, prefix=1, grid=(65, 64))
        expected = self.model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(60)
                merged = adamerge.merge("tome", large, r=64, prefix=1, grid=(65, 64))
                logits = self.model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits
                right = len(merged.merges) == 64 and (logits == expected).all()
            except BaseException:
                right = False
            os._exit(0 if right else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.model.inspect(SAMPLES / "bird.png", method="tome", r=8)

    def test_processes_of_multiprocessing_compute(self):
        k = keys(65, seed=4)
        expected = adamerge.merge("pitome", k, prefix=1).groups
        logits = self.model.inspect(SAMPLES / "bird.png", method="tome", r=8).logits
        for start in ("fork", "spawn"):
            with self.subTest(start=start), multiprocessing.get_context(start).Pool(2) as pool:
                merged = pool.map_async(merged_groups, [k] * 4).get(timeout=120)
                seen = pool.apply_async(logits_of, (self.model,)).get(timeout=120)
                for groups in merged:
                    np.testing.assert_array_equal(groups, expected)
                np.testing.assert_array_equal(seen, logits)

    def test_ctrl_c_ends_a_long_call(self):
        """Of processor time, so that other programs do not count; beside, of time until the answer."""
        in_process = _core_access.way() == "module"
        large = keys(4097)
        for method, settings in (("tome", {"r": 64}), ("pitome", {}), ("atc", {}), ("dsm", {"block": 5}),
                                 ("adamerge", {}), ("tofu", {"r": 64})):
            with self.subTest(method=method):
                pressed = []

                def press():
                    pressed.extend((time.process_time(), time.monotonic()))
                    os.kill(os.getpid(), signal.SIGINT)

                threading.Timer(0.3, press).start()
                with self.assertRaises(KeyboardInterrupt):
                    while True:
                        adamerge.merge(method, large, prefix=1, **settings)
                took = time.process_time() - pressed[0] if in_process else time.monotonic() - pressed[1]
                self.assertLess(took, 0.1 if in_process else 2)
        self.assertEqual(len(adamerge.merge("tome", keys(), prefix=1, r=8).merges), 8, "it goes on")


class WayTest(unittest.TestCase):
    def test_is_the_one_asked_for(self):
        self.assertEqual(_core_access.way(), os.environ["ADAMERGE_CORE"])

    def test_a_second_libtorch_is_never_loaded(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "torch"
            (folder / "lib").mkdir(parents=True)
            (folder / "lib" / "libtorch_cpu.so").touch()
            (folder / "__init__.py").touch()
            script = ("import sys, adamerge; from adamerge import _core_access as c\n"
                      "if sys.argv[1] == 'installed': sys.path.insert(0, sys.argv[2])\n"
                      "print(c.way())\n"
                      "sys.path.insert(0, sys.argv[2])\n"
                      "import torch")
            run = {}
            for when in ("installed", "later"):
                run[when] = subprocess.run([sys.executable, "-c", script, when, name], capture_output=True, text=True,
                                           env={**os.environ, "ADAMERGE_CORE": ""})
        self.assertEqual((run["installed"].returncode, run["installed"].stdout), (0, "process\n"))
        self.assertEqual(run["later"].stdout, "module\n")
        self.assertIn("brings another LibTorch", run["later"].stderr)

    def test_an_unknown_way_is_refused(self):
        run = subprocess.run([sys.executable, "-c", "import adamerge; adamerge.Model()"],
                             capture_output=True, text=True, env={**os.environ, "ADAMERGE_CORE": "moon"})
        self.assertIn("ADAMERGE_CORE takes one of module, process, program, not 'moon'", run.stderr)


if __name__ == "__main__":
    unittest.main()
