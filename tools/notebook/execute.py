"""Run the notebook of the documents and keep what it shows: `python tools/notebook/execute.py`.

Needs nbclient and ipykernel beside the extra ``plots``. Progress bars are left out, and times of
execution, so that the file changes only when what it shows does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "first_steps.ipynb"


def main() -> None:
    """Run every cell in a kernel of its own and write the notebook with the outputs."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [shown for shown in cell.outputs if shown.output_type != "stream"]
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
