# SPDX-License-Identifier: GPL-3.0-or-later
"""From times to what is reported: agreement, medians, ratios round by round, and the table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

import numpy as np

# fp32 sums in another order; anything larger is another network.
LOGIT_TOLERANCE = 1e-3


def disagreement(ours: np.ndarray, peer: np.ndarray, dtype: str) -> str:
    """Empty where both computed the same: all logits in float32, the top classes in less."""
    if ours.shape != peer.shape:
        return f"logits of shape {peer.shape} instead of {ours.shape}"
    if dtype == "float32":
        largest = float(np.abs(ours - peer).max())
        return "" if largest <= LOGIT_TOLERANCE else f"logits differ by up to {largest:.2g}"
    same = int((ours.argmax(1) == peer.argmax(1)).sum())
    return "" if same == len(ours) else f"the top class agrees on {same} of {len(ours)} images"


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
    rounds: list[float] = field(default_factory=list)
    problem: str = ""

    def add(self, times: list[float]) -> None:
        self.rounds.append(statistics.median(times))

    def ratios(self, other: Row) -> list[float]:
        """This time over the other's, round by round: how many times quicker the other is."""
        return [mine / its for mine, its in zip(self.rounds, other.rounds)]


def as_json(rows: list[Row]) -> list[dict]:
    ours = [row for row in rows if row.ours]
    return [
        {"name": row.label, "ours": row.ours, "method": row.method, "problem": row.problem,
         "milliseconds": spread(row.rounds) if row.rounds else None, "rounds": row.rounds,
         "ratio": {other.method: spread(row.ratios(other)) for other in ours if row.rounds}}
        for row in rows
    ]


def _ratio(values: list[float]) -> str:
    s = spread(values)
    return f"{s['median']:.2f} ({s['lower_quartile']:.2f}–{s['upper_quartile']:.2f})"


def table(rows: list[Row]) -> str:
    """Lines of text. The columns on the right: the row's time over ours, per round."""
    ours = [row for row in rows if row.ours]
    lines = [f"{'':32}{'ms':>8}  {'quartiles':15}"
             + "".join(f"{'/ our ' + other.method:>20}" for other in ours)]
    for row in rows:
        if not row.rounds:
            lines.append(f"{row.label:32}{row.problem}")
            continue
        s = spread(row.rounds)
        quartiles = f"{s['lower_quartile']:.1f}–{s['upper_quartile']:.1f}"
        cells = "".join(f"{_ratio(row.ratios(other)):>20}" for other in ours)
        note = f"  NOT THE SAME: {row.problem}" if row.problem else ""
        lines.append(f"{row.label:32}{s['median']:8.1f}  {quartiles:15}{cells}{note}")
    return "\n".join(lines)
