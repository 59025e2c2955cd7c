"""Several that add to one leaderboard at once."""

import threading

from chorus_bench.errors import InputError
from chorus_bench.leaderboard import adding
from chorus_bench.leaderboard.adding import add_entry
from tests.cli.cli_tools import run_cli
from tests.leaderboard import world


def test_of_several_who_add_one_name_one_succeeds(tmp_path, monkeypatch):
    """All have found the place free, and written their entry, before the first gets its name."""
    folder = world.make_result("Good", skill=0.9).save(tmp_path / "result")
    everybody, check, refused = threading.Barrier(4), adding._check, []
    monkeypatch.setattr(adding, "_check", lambda *a: (check(*a), everybody.wait(60)))

    def add(name):
        try:
            add_entry(folder, tmp_path / "board", submitted_by=name, date=world.DATE)
        except InputError as error:
            refused.append((name, str(error)))

    threads = [threading.Thread(target=add, args=(f"person {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert all("another process has created or changed it" in text for _, text in refused)
    [entry] = (tmp_path / "board" / "entries").iterdir()
    [winner] = {f"person {n}" for n in range(4)} - {name for name, _ in refused}
    assert f"submitted_by: {winner}" in (entry / "entry.yaml").read_text()


def test_a_citation_in_another_encoding_is_refused(tmp_path):
    file = tmp_path / "citation.bib"
    file.write_bytes("@misc{müller}".encode("latin-1"))
    done = run_cli("leaderboard", "add", "example", "--submitted-by", "A", "--citation", file)
    assert done.returncode == 2
    assert "citation.bib" in done.stderr
    assert "Traceback" not in done.stderr
