"""docs/notebook.ipynb is run, and shows what it says; with torch in the place of wengert it shows the same."""

import pathlib
import sys

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
jupyter_client = pytest.importorskip("jupyter_client")

NOTEBOOK = pathlib.Path(__file__).resolve().parents[2] / "docs" / "notebook.ipynb"


def outputs(notebook):
    """What each cell shows; prints come in pieces."""
    return [
        "".join(output.get("text") or output.get("data", {}).get("text/plain") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def run(module):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    said = outputs(notebook)
    for cell in notebook.cells:
        cell.source = cell.source.replace("import wengert as torch", f"import {module} as torch")
    manager = jupyter_client.manager.AsyncKernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable  # which has the module that is tested
    nbclient.NotebookClient(notebook, km=manager, timeout=120).execute()
    return said, outputs(notebook)


def test_shows_what_it_says():
    said, shown = run("wengert")
    assert shown == said


def test_shows_the_same_with_torch():
    pytest.importorskip("torch")
    said, shown = run("torch")
    assert shown == said
