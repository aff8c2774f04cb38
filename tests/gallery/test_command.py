"""`stackweave gallery`: the table, one entry, and what happens where evidence and entries disagree."""

import json
import re
from dataclasses import replace

import pytest

from stackweave.__main__ import main
from stackweave.exits import Exit
from stackweave.gallery import kept
from stackweave.gallery.entries import ENTRIES
from stackweave.gallery.entry import Case, Verdict
from stackweave.gallery.evidence import Evidence, firsts_of, measure, measure_verdict
from stackweave.gallery.measure import Rate
from stackweave.gallery.showing import Shown
from stackweave.gallery.table import Table
from stackweave.programs import Parameters

from .support import planted

WIDTH = 115


def test_the_table_has_a_line_an_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery"]) == Exit.CLEAN
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(ENTRIES)]] == list(ENTRIES)
    assert max(map(len, lines)) <= WIDTH


def test_the_table_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "--json"]) == Exit.CLEAN
    document = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in document["entries"]] == list(ENTRIES)
    assert {row["state"] for row in document["entries"]} == {""}


def test_an_entry_is_run_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "bitmask-spurious"]) == Exit.CLEAN
    text = capsys.readouterr().out
    assert "!! twice" in text
    assert "; as before" in text
    assert "gone in completed" in text
    assert re.search(r"every execution: all [\d,]+ states; it shows after 95 moves", text)
    assert " ".join(ENTRIES["bitmask-spurious"].story) in " ".join(text.split())
    token = re.search(r"sw1\.[\w-]+", text)
    assert token is not None
    assert main(["replay", token[0]]) == Exit.VIOLATION
    assert "twice" in capsys.readouterr().out


def test_an_entry_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "upstream-2", "--json"]) == Exit.CLEAN
    document = json.loads(capsys.readouterr().out)
    assert document["signature"] == "return-value"
    assert document["agrees"]
    assert not document["stale"]
    assert document["replay"].startswith("sw1.")


def test_another_generation_has_the_same_defect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "bitmask-2"]) == Exit.CLEAN
    assert "!! return-value" in capsys.readouterr().out


@pytest.mark.parametrize("id", ["completed-comment", "upstream-2-bit-32"])
def test_an_entry_without_an_execution_to_show(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", id]) == Exit.CLEAN
    assert "replay" not in capsys.readouterr().out


def test_an_unknown_id_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "upstream7"]) == Exit.USAGE
    error = capsys.readouterr().err
    assert "upstream-7" in error
    assert error.count("\n") == 1


# what must be reported


CLEAN = Case("spurious-callback", Parameters(generation="completed"))
SPURIOUS = Case("spurious-callback")


def test_a_defect_that_never_shows_is_not_reproduced() -> None:
    entry = planted(Verdict.REPRODUCED, CLEAN, "twice")
    measured = Evidence("digest", firsts_of(entry, CLEAN, 5))
    assert measured.firsts == (None,) * 20
    assert not measured.bears_out(entry)
    shown = Shown(entry, None, measured)
    assert shown.exit == Exit.VIOLATION
    assert "0/20 seeds" in shown.as_text()
    assert firsts_of(entry, SPURIOUS, 50).count(None) == 0


@pytest.mark.parametrize("verdict", [Verdict.REFUTED, Verdict.GONE, Verdict.OPEN])
def test_a_defect_that_shows_is_not_denied(verdict: Verdict) -> None:
    shows, does_not = (planted(verdict, case, "twice") for case in (SPURIOUS, CLEAN))
    assert not measure(shows).bears_out(shows)
    assert measure(does_not).bears_out(does_not)


def test_a_wrong_digest_is_stale() -> None:
    entry = ENTRIES["bitmask-spurious"]
    good = kept.load()[entry.id]
    stale = replace(good, digest="0123456789abcdef")
    assert "STALE" in Table({entry.id: entry}, {entry.id: stale}).as_text()
    assert "STALE" not in Table({entry.id: entry}, {entry.id: good}).as_text()


def test_evidence_against_a_verdict_disagrees() -> None:
    entry = ENTRIES["bitmask-spurious"]
    good = kept.load()[entry.id]
    bad = replace(good, firsts=(None, None, *good.firsts[2:]))
    table = Table({entry.id: entry}, {entry.id: bad})
    assert "DISAGREES" in table.as_text()
    assert table.exit == Exit.VIOLATION


def test_a_search_that_does_not_find_it_disagrees() -> None:
    entry = ENTRIES["bitmask-spurious"]
    good = kept.load()[entry.id]
    assert good.searched is not None
    assert good.bears_out(entry)
    denied = replace(good, searched=replace(good.searched, signatures=("lost",), moves=None))
    assert not denied.bears_out(entry)
    # where it had no end it denies nothing
    assert denied.searched is not None
    assert replace(denied, searched=replace(denied.searched, complete=False)).bears_out(entry)
    assert not replace(good, searched=None).bears_out(entry)


def test_an_entry_without_evidence_says_so() -> None:
    entry = planted(Verdict.REPRODUCED, SPURIOUS, "twice")
    assert "NOT MEASURED" in Table({entry.id: entry}, {}).as_text()


def test_other_figures_than_those_kept_differ() -> None:
    entry = ENTRIES["bitmask-spurious"]
    good = kept.load()[entry.id]
    other = replace(good, firsts=tuple((first or 0) + 1 for first in good.firsts))
    shown = Shown(entry, other, measure_verdict(entry))
    assert not shown.agrees
    assert "DIFFERS" in shown.as_text()
    assert Shown(entry, good, measure_verdict(entry)).agrees


def test_a_scripted_defect_without_a_schedule_is_not_reproduced() -> None:
    entry = replace(planted(Verdict.REPRODUCED, CLEAN, "twice"), scripted=True)
    assert not measure(entry).bears_out(entry)
    found = replace(planted(Verdict.REPRODUCED, SPURIOUS, "twice"), scripted=True)
    assert measure(found).bears_out(found)
    unfit = Evidence(script=measure(found).script[:-1])
    assert measure(found, unfit).script != unfit.script


def test_the_interval_is_wilson_s() -> None:
    # 10 of 100, as textbooks have it: 5.5 % to 17.4 %
    low, high = Rate(10, 100).interval
    assert (round(low, 3), round(high, 3)) == (0.055, 0.174)
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 100).interval == pytest.approx((0.0, 0.037), abs=5e-4)
    assert Rate(100, 100).interval == pytest.approx((0.963, 1.0), abs=5e-4)
