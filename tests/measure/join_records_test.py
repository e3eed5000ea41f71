# SPDX-License-Identifier: GPL-3.0-or-later
"""models/join_records.py against `adamerge evaluate` on the whole set."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ["ADAMERGE_PROGRAM"]
MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
VARIANTS = ("tome r=8", "adamerge r_max=46", "adamerge+ r=8")


def make_set(folder, first, count):
    """Blots of random colours, in two classes by turns."""
    for image in range(first, first + count):
        draw = random.Random(image)
        path = folder / ("airplane" if image % 2 else "bird") / f"{image}.ppm"
        path.parent.mkdir(parents=True, exist_ok=True)
        colours = [bytes(draw.choices(range(256), k=3)) for _ in range(16)]
        rows = [b"".join(colours[y // 8 * 4 + x // 8] for x in range(32)) for y in range(32)]
        path.write_bytes(b"P6 32 32 255\n" + b"".join(rows))


def evaluate(folder, out):
    variants = [word for variant in VARIANTS for word in ("--variant", variant)]
    subprocess.run(
        [PROGRAM, "evaluate", folder, "--model", MODELS / "vit-tiny-cifar10", "--dtype", "float32", *variants]
        + ["--json", out, "--quiet"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


class JoinRecords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for name, first, count in (("a", 0, 4), ("b", 4, 8), ("whole", 0, 12)):
            make_set(cls.folder / name, first, count)
        for name in ("a", "b", "whole"):
            evaluate(cls.folder / name, cls.folder / f"{name}.json")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def join(self, *names):
        command = [sys.executable, MODELS / "join_records.py", *(self.folder / name for name in names)]
        return subprocess.run(
            command + ["--dataset", self.folder / "whole", "-o", self.folder / "joined.json"], capture_output=True, text=True
        )

    def same(self, joined, whole, where):
        if isinstance(whole, dict):
            self.assertEqual(joined.keys(), whole.keys(), where)
            for key in whole.keys() - {"images_per_second", "command"}:
                self.same(joined[key], whole[key], f"{where}.{key}")
        elif isinstance(whole, list):
            self.assertEqual(len(joined), len(whole), where)
            for place, (one, other) in enumerate(zip(joined, whole)):
                self.same(one, other, f"{where}[{place}]")
        elif isinstance(whole, float) and joined is not None:
            # Deviations are differences of squares: half the digits stay.
            self.assertAlmostEqual(joined, whole, delta=1e-6 if "_sd" in where else 1e-9, msg=where)
        else:
            self.assertEqual(joined, whole, where)

    def test_two_parts_are_the_whole(self):
        done = self.join("a.json", "b.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        joined, whole = (json.loads((self.folder / name).read_text()) for name in ("joined.json", "whole.json"))
        self.assertEqual(whole["images"], 12)
        self.assertGreater(sum(p["flops_paper_sd"] for p in whole["points"]), 0)
        self.assertGreater(sum(c["only_this"] + c["only_other"] for p in whole["points"] for c in p["compared"]), 0)
        self.same(joined, whole, "record")

    def test_parts_that_do_not_belong_together_are_refused(self):
        def message(change):
            part = json.loads((self.folder / "b.json").read_text())
            change(part)
            (self.folder / "other.json").write_text(json.dumps(part))
            done = self.join("a.json", "other.json")
            self.assertEqual(done.returncode, 1)
            return done.stderr

        self.assertIn("its dtype is bfloat16", message(lambda part: part.update(dtype="bfloat16")))
        settings = message(lambda part: part["points"][1]["settings"].update(r=9))
        self.assertIn("not the methods and settings", settings)


if __name__ == "__main__":
    unittest.main()
