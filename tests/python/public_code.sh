#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# public_code.sh BUILD: the newest timm and PyTorch in a virtual environment below BUILD, and the public code of ToMe
# and PiToMe beside it (TOME, PITOME: clones that are there already); then groups recorded from that code against ours.
# Last, the example notebook without a browser; its pictures are in BUILD/notebook.
set -euo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
environment=${ADAMERGE_VENV:-$build/python-environment}
if [ ! -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet timm torch numpy pillow scipy nbclient nbformat ipykernel
fi
for code in TOME=facebookresearch/ToMe PITOME=hchautran/PiToMe; do
  name=${code%%=*} repository=${code#*=}
  [ -n "${!name:-}" ] || {
    declare "$name=$build/public/${repository#*/}"
    [ -d "${!name}" ] || git clone --quiet --depth 1 "https://github.com/$repository" "${!name}"
  }
  export "${name?}"
done
export ADAMERGE_PROGRAM=$build/bin/adamerge PYTHONPATH=$here/../../app/python
"$environment/bin/python" "$here/public_code.py" -v
"$environment/bin/python" "$here/loader_test.py" -v
"$environment/bin/python" "$here/notebook.py" "$here/../../app/python/examples/token_merging.ipynb" "$build/notebook"
