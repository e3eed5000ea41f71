#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh BUILD SECONDS [TARGET ...]: each target (default: all) for so long, from the seeds in the tree;
# what it learns stays in BUILD/corpus, what it finds in BUILD/finds. Ends with 1 where there is a find.
# With SECONDS 0 the corpus is run once, also that of another build: CORPUS=build-fuzz-fast/corpus.
set -uo pipefail
build=$1
seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- $("$build/bin/fuzz")
corpora=${CORPUS:-$build/corpus}
length=(-max_total_time="$seconds")
[ "$seconds" != 0 ] || length=(-runs=0)
# LibTorch is not instrumented, so containers that it filled look overrun; its globals stay at exit.
export ASAN_OPTIONS=detect_container_overflow=0:detect_odr_violation=0:detect_leaks=0:allocator_may_return_null=0
export UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen
scratch=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
mkdir -p "$build/finds"
status=0
printf '%-14s %12s %8s %8s %7s %6s\n' target executions edges features corpus finds
for target; do
  mkdir -p "$corpora/$target"
  dictionary=()
  [ -e "$here/dictionaries/$target" ] && dictionary=(-dict="$here/dictionaries/$target")
  log=$build/finds/$target.log
  "$build/bin/fuzz" "$target" "${length[@]}" -timeout=10 -rss_limit_mb=3000 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$build/finds/$target-" "${dictionary[@]}" \
    "$corpora/$target" "$here/corpus/$target" > "$log" 2>&1
  found=$?
  [ $found -eq 0 ] || status=1
  last=$(grep -a ' cov: ' "$log" | tail -1)
  field() { sed -n "s/.* $1: \([0-9]*\).*/\1/p" <<< "$last"; }
  printf '%-14s %12s %8s %8s %7s %6s\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" "$(field cov)" "$(field ft)" \
    "$(field corp)" "$([ $found -eq 0 ] && echo 0 || echo "1, $log")"
done
exit $status
