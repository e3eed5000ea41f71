#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Renders every screen of the studio without a display: screenshots.sh PROGRAM FOLDER [IMAGE]
set -euo pipefail

program=$1
folder=$2
image=${3:-resources/samples/bird.png}
mkdir -p "$folder"
export QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=passive

# A window's size in pixels, and how many pixels of the screen each of them takes.
sizes=("1024x700 1" "1440x900 1" "1440x900 2")

shot() {
  local name=$1
  shift
  for theme in light dark; do
    for size in "${sizes[@]}"; do
      read -r pixels scale <<< "$size"
      QT_SCALE_FACTOR=$scale "$program" --fresh --theme "$theme" --size "$pixels" "$@" \
        --screenshot "$folder/$name-$theme-$pixels@$scale.png"
    done
  done
}

adamerge=(--method adamerge --r-max 28 --block 8)
shot groups "$image" "${adamerge[@]}" --overlay groups
shot salience "$image" "${adamerge[@]}" --overlay salience
shot survivors "$image" "${adamerge[@]}" --overlay survivors
shot attention "$image" "${adamerge[@]}" --overlay attention
shot compare-two "$image" "${adamerge[@]}" --compare 2
shot compare-four "$image" "${adamerge[@]}" --compare 4 --overlay difference
shot folder "$(dirname "$image")" "${adamerge[@]}"
