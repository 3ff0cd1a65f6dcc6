"""A run in a notebook: in a real kernel, with a bar below the cell that moves."""

from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CELL = """
import sys
sys.path.insert(0, {root!r})
import manyfaces
from beam_pipelines.driver import progress
progress.NOTEBOOK_SECONDS = 0.1
run = manyfaces.run({config!r}, input={numbers!r}, output={output!r}, set={{"pause": 0.02}})
run.table("sums").to_table().num_rows
"""


@pytest.mark.jobs
def test_a_run_shows_its_progress_and_gives_its_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "numbers.yaml").write_text("recipe: tests.beam_pipelines.numbers_recipe:RECIPE\n")
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, range(1, 61))))
    names = {name: str(tmp_path / file) for name, file in FILES.items()}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(root=str(ROOT), **names))])
    seen = []
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    process_message = client.process_message

    def listen(message, *others):
        if message["msg_type"] == "update_display_data":
            seen.append(message["content"]["data"]["text/plain"])
        return process_message(message, *others)

    client.process_message = listen
    client.execute()
    (cell,) = notebook.cells
    assert cell.outputs[-1]["data"]["text/plain"] == "1"
    rows = [line for line in seen if "job 1 double+halve" in line]
    assert len(rows) > 3
    assert rows[0].count("━") < rows[-1].count("━")
    assert "60/60 items" in rows[-1]


FILES = {"config": "numbers.yaml", "numbers": "numbers.txt", "output": "run"}
