#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pictures.sh BUILD: draws the manual's pictures anew, without a display, small enough to be kept in the tree.
# open-by-name.png was taken by hand; counts-per-block.png is `adamerge pictures --counts` of the command in lenses.md.
set -euo pipefail

bin=$1/bin
pictures=$(dirname "$0")/pictures
samples=resources/samples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=passive

keep() { convert "$work/$1.png" -strip +dither -colors 255 -define png:compression-level=9 "$pictures/$2.png"; }
studio() { "$bin/adamerge-studio" --fresh --screenshot "$work/studio.png" "$@"; }
figure() { "$bin/adamerge" inspect --quiet --out "$work" --dtype float32 "$@"; }

studio "$samples/bird.png" --theme light --size 1440x900 --method adamerge --r-max 28 --block 8 --compare 2
keep studio studio-compare
studio "$samples/ship.png" --theme dark --size 1440x900 --method adamerge --r-max 28 --block 8 --overlay salience
keep studio studio-dark
studio "$samples" --theme light --size 1440x900 --method adamerge --r-max 28 --block 4 --compare 4 --overlay difference
keep studio studio-four
figure "$samples/bird.png" --r-max 28 --figure overview
keep bird-overview bird-overview
figure "$samples/ship.png" --r-max 28 --figure groups
keep ship-groups ship-groups
for overlay in salience groups survivors attention; do
  figure "$samples/bird.png" --r-max 28 --figure canvas --layer 7 --overlay "$overlay" --width-mm 60 --dpi 150
  mv "$work"/bird-canvas*.png "$work/$overlay.png"
done
montage -label '' "$work"/{salience,groups,survivors,attention}.png -tile 4x1 -geometry +6+6 "$work/overlays.png"
keep overlays overlays

# Each lens, AdaMerge above ToMe at equal FLOPs; the heads beside each other.
lenses=(attention rollout components similarity norm change)
lens() { figure "$samples/bird.png" --method "$1" "${@:2}" --patch 6,5 --layer 7 --dpi 110; }
for method in "adamerge --r-max 28" "tome --r 15"; do
  read -ra setting <<<"$method"
  for overlay in "${lenses[@]}"; do
    lens "${setting[@]}" --figure canvas --overlay "$overlay" --width-mm 60
    mv "$work"/bird-canvas*.png "$work/${setting[0]}-$overlay.png"
  done
  lens "${setting[@]}" --figure heads --width-mm 120
  mv "$work"/bird-heads*.png "$work/${setting[0]}-heads.png"
done
montage -label '' $(printf "$work/%s.png " "${lenses[@]/#/adamerge-}" "${lenses[@]/#/tome-}") \
  -gravity North -tile 6x2 -geometry +4+4 "$work/lenses.png"
keep lenses lenses
convert "$work"/{adamerge,tome}-heads.png -background white +append "$work/heads.png"
keep heads heads
# Random weights: windows and prompts are what it shows.
figure "$samples/ship.png" --model tests/data/dense/sam-hf --input-size 256 --method structsam \
  --prompt-box 100,120,330,330 --prompt-point 60,60 --figure canvas --layer 0
keep ship-canvas-block00 sam-prompts
