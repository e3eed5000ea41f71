#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `adamerge evaluate --json` wrote on parts of a labelled set, as one record of the whole: for a set
that is measured on several evenings or machines. Counts add up, means and deviations follow from the
parts', the intervals and McNemar's p are computed from the sums.
A pair of methods that a part does not compare, since their FLOPs differ there, is left out.

    models/join_records.py PART.json PART.json ... [--dataset NAME] [--command TEXT] -o RECORD.json

The parts have no image in common, and are of one model, device, precision and list of methods: the
first of these the files cannot tell, the others are checked.
"""
import argparse
import json
import math
import sys

QUANTILE = 1.959963984540054
SAME = ("model", "device", "dtype", "labelled")
SUMMED = ("only_this", "only_other")
MEANS = (
    "top1", "top5", "agreement", "flops_paper", "flops_total", "merged_mean", "tokens_per_block",
    "kl_divergence", "logit_cosine", "embedding_cosine", "patch_cosine", "dense",
)  # fmt: skip
DEVIATIONS = {"flops_paper": "flops_paper_sd", "flops_total": "flops_total_sd", "tokens_per_block": "tokens_per_block_sd"}


def mean(values, weights):
    """Of numbers, or of each place of lists and objects; None where any is."""
    if any(value is None for value in values):
        return None
    if isinstance(values[0], list):
        return [mean(list(each), weights) for each in zip(*values, strict=True)]
    if isinstance(values[0], dict):
        return {key: mean([value[key] for value in values], weights) for key in values[0]}
    return math.fsum(v * w for v, w in zip(values, weights)) / sum(weights)


def deviation(means, deviations, weights):
    if isinstance(means[0], list):
        return [deviation(m, d, weights) for m, d in zip(zip(*means), zip(*deviations))]
    whole = mean(list(means), weights)
    return math.sqrt(mean([d * d + (m - whole) ** 2 for m, d in zip(means, deviations)], weights))


def wilson(percent, images):
    p, z2 = percent / 100, QUANTILE * QUANTILE
    centre = p + z2 / (2 * images)
    half = QUANTILE * math.sqrt(p * (1 - p) / images + z2 / (4 * images * images))
    return [100 * (centre - half) / (1 + z2 / images), 100 * (centre + half) / (1 + z2 / images)]


def mcnemar(first, second):
    n, fewer = first + second, min(first, second)
    if first == second:
        return 1.0
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)


def join_point(points):
    images = [point["images"] for point in points]
    joined = dict(points[0], images=sum(images), images_per_second=None)
    for key in MEANS:
        if key in joined:
            joined[key] = mean([point[key] for point in points], images)
    for key, name in DEVIATIONS.items():
        joined[name] = deviation([p[key] for p in points], [p[name] for p in points], images)
    if joined["top1"] is not None:
        joined["top1_interval"] = wilson(joined["top1"], joined["images"])
    joined["calibrated"] = all(point["calibrated"] for point in points)
    joined["compared"] = []
    others = [{pair["point"]: pair for pair in point["compared"]} for point in points]
    for other in (each for each in others[0] if all(each in part for part in others)):
        pairs = [part[other] for part in others]
        pair = dict(pairs[0], **{key: sum(each[key] for each in pairs) for key in SUMMED})
        joined["compared"].append(dict(pair, p=mcnemar(pair["only_this"], pair["only_other"])))
    return joined


def join(parts):
    names, records = zip(*parts)
    for name, record in parts[1:]:
        for key in SAME:
            if record[key] != records[0][key]:
                sys.exit(f"{name}: its {key} is {record[key]}, that of {names[0]} {records[0][key]}")
        of = [[(p["method"], p["settings"]) for p in each["points"]] for each in (records[0], record)]
        if of[0] != of[1]:
            sys.exit(f"{name}: it has not the methods and settings of {names[0]}, in that order")
    joined = dict(records[0], images=sum(record["images"] for record in records))
    joined["skipped"] = [image for record in records for image in record["skipped"]]
    for key in ("notes", "warnings"):
        joined[key] = list(dict.fromkeys(text for record in records for text in record.get(key, [])))
    joined["points"] = [join_point(points) for points in zip(*(record["points"] for record in records))]
    return joined


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+")
    parser.add_argument("--dataset", help="what the whole set is called (default: the first part's)")
    parser.add_argument("--command", help="the command that would measure it whole (default: the first part's)")
    parser.add_argument("-o", "--out", required=True)
    options = parser.parse_args()
    parts = []
    for name in options.parts:
        with open(name, encoding="utf-8") as file:
            parts.append((name, json.load(file)))
    joined = join(parts)
    joined.update({key: value for key in ("dataset", "command") if (value := getattr(options, key))})
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(joined, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
