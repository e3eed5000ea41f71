# SPDX-License-Identifier: GPL-3.0-or-later
"""From times to what is reported: agreement, medians, ratios round by round, and the table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

import numpy as np

# fp32 sums in another order; anything larger is another network.
FLOAT32_TOLERANCE = 1e-3
# In standard deviations of the logits: bf16 keeps eight bits, and which sums are rounded differs.
# timm's own bf16 is up to 0.06 from its fp32; the logits of another image are about 6 away.
BFLOAT16_TOLERANCE = 0.1


def disagreement(ours: np.ndarray, peer: np.ndarray, dtype: str) -> str:
    """Empty where both computed the same: all logits of all images, as near as `dtype` allows."""
    if ours.shape != peer.shape:
        return f"logits of shape {peer.shape} instead of {ours.shape}"
    tolerance = FLOAT32_TOLERANCE if dtype == "float32" else BFLOAT16_TOLERANCE * ours.std()
    largest = float(np.abs(ours - peer).max())
    # Not `>`, which NaN would pass.
    return "" if largest <= tolerance else f"logits differ by up to {largest:.2g}"


def spread(values: list[float]) -> dict[str, float]:
    if len(values) == 1:
        return {"median": values[0], "lower_quartile": values[0], "upper_quartile": values[0]}
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


@dataclass
class Row:
    """One program at one precision and batch size: its passes' median time in every round."""

    label: str
    method: str
    ours: bool
    flops: float = 0  # G, paper's convention, mean per image of the last round; 0: not known
    rounds: list[float] = field(default_factory=list)
    problem: str = ""
    peak_bytes: int = 0  # the most memory that its process had; 0: not known

    def add(self, measured: dict) -> None:
        """`ms` of passes, and `peak_bytes` where it is known."""
        self.rounds.append(statistics.median(measured["ms"]))
        self.peak_bytes = max(self.peak_bytes, measured.get("peak_bytes") or 0)

    def ratios(self, other: Row) -> list[float]:
        """This time over the other's, round by round: how many times quicker the other is."""
        return [mine / its for mine, its in zip(self.rounds, other.rounds)]


def as_json(rows: list[Row]) -> list[dict]:
    ours = [row for row in rows if row.ours]
    return [
        {"name": row.label, "ours": row.ours, "method": row.method, "problem": row.problem,
         "flops_paper": row.flops or None, "peak_bytes": row.peak_bytes or None,
         "milliseconds": spread(row.rounds), "rounds": row.rounds,
         "ratio": {other.method: spread(row.ratios(other)) for other in ours}}
        for row in rows
    ]


def _ratio(values: list[float]) -> str:
    s = spread(values)
    return f"{s['median']:.2f} ({s['lower_quartile']:.2f}–{s['upper_quartile']:.2f})"


def table(rows: list[Row]) -> str:
    """Lines of text. The columns on the right: the row's time over ours, per round."""
    ours = [row for row in rows if row.ours]
    lines = [f"{'':30}{'FLOPs G':>8}{'MB':>7}{'ms':>9}  {'quartiles':17}"
             + "".join(f"{'/ ' + other.method:>19}" for other in ours)]
    for row in rows:
        s = spread(row.rounds)
        flops = f"{row.flops:.2f}" if row.flops else ""
        peak = f"{row.peak_bytes / 1e6:.0f}" if row.peak_bytes else ""
        quartiles = f"{s['lower_quartile']:.1f}–{s['upper_quartile']:.1f}"
        cells = "".join(f"{_ratio(row.ratios(other)):>19}" for other in ours)
        note = f"  NOT THE SAME: {row.problem}" if row.problem else ""
        lines.append(f"{row.label:30}{flops:>8}{peak:>7}{s['median']:9.1f}  {quartiles:17}{cells}{note}")
    return "\n".join(lines)
