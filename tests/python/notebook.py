# SPDX-License-Identifier: GPL-3.0-or-later
"""notebook.py NOTEBOOK FOLDER: runs it without a browser and puts the pictures that it shows into the folder."""

import base64
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

path, folder = Path(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
pictures = 0
for number, cell in enumerate(notebook.cells):
    for output in cell.get("outputs", []):
        if output.get("text"):
            print(output["text"], end="")
        data = output.get("data", {})
        if "image/svg+xml" in data:
            (folder / f"cell-{number}.svg").write_text(data["image/svg+xml"])
        if "image/png" in data:
            (folder / f"cell-{number}.png").write_bytes(base64.b64decode(data["image/png"]))
            pictures += 1
if pictures < 1:
    sys.exit(f"{path}: shows no picture")
print(f"{pictures} pictures in {folder}")
