"""Campaigns: what they count, when they stop, and that they keep little."""

import pytest

from stackweave.campaign import Campaign, Subject, run
from stackweave.core import Interpreter, ModelError, Program, RandomWalk, UsageError
from stackweave.known import GENERATIONS, Known
from stackweave.programs import Parameters
from stackweave.registry import recipe_of

from . import samples
from .support import subject


def of(program: Program, parameters: Parameters | None = None) -> Subject:
    """A subject made of this very program."""

    def maker() -> Program:
        return program

    return Subject(recipe_of(maker, "here"), parameters or Parameters(), program)


def test_it_counts_what_the_interpreter_does() -> None:
    program = samples.lost_update()
    campaign = run(of(program), 7, 300)
    outcomes = [Interpreter(program).run(RandomWalk(7), number) for number in range(300)]
    failing = [number for number, each in enumerate(outcomes) if each.violations]
    assert campaign.executions == 300
    assert campaign.operations == sum(each.operations for each in outcomes)
    assert campaign.incomplete == 0
    [finding] = campaign.findings.values()
    assert finding.signature == "lost-update"
    assert (finding.count, finding.first) == (len(failing), failing[0])
    assert finding.decisions == outcomes[failing[0]].schedule


def test_an_execution_counts_once_for_each_signature() -> None:
    program = samples.monitored()
    counter = program.layout.word("unused")
    program.finally_(samples.counts, counter, 1)
    campaign = run(of(program), 0, 100)
    counts = {each.signature: each.count for each in campaign.findings.values()}
    assert counts["lost-update"] == 100
    assert 0 < counts["twice:value"] < 100


def test_incomplete_executions_are_no_violations() -> None:
    campaign = run(subject("endless"), 0, 5)
    assert (campaign.incomplete, campaign.findings) == (5, {})


def test_it_stops_at_the_first() -> None:
    campaign = run(subject("gamble"), 0, 1000, stop_first=True)
    [finding] = campaign.findings.values()
    assert campaign.executions == finding.first + 1 < 1000


def test_it_does_not_stop_at_what_is_allowed() -> None:
    campaign = run(subject("judged_twice"), 0, 1000, stop_first=True, allowed=["lost-update"])
    assert ("twice:value", None) in campaign.findings
    both = ["lost-update", "twice:value"]
    campaign = run(subject("judged_twice"), 0, 50, stop_first=True, allowed=both)
    assert campaign.executions == 50


def test_it_keeps_one_schedule_a_signature() -> None:
    campaign = run(subject("lost_update"), 0, 2000)
    [finding] = campaign.findings.values()
    assert finding.count > 500
    assert len(finding.decisions) == 4


def test_the_same_seed_finds_the_same() -> None:
    first, second = (run(subject("machine"), 3, 500) for _ in range(2))
    assert first.findings == second.findings
    assert first.findings != run(subject("machine"), 4, 500).findings


def test_an_interrupt_ends_it_with_the_results_so_far() -> None:
    def interrupt(campaign: Campaign) -> None:
        if campaign.executions >= 20:
            raise KeyboardInterrupt

    campaign = run(subject("lost_update"), 0, 10**9, watch=interrupt)
    assert campaign.interrupted
    assert campaign.findings == run(subject("lost_update"), 0, campaign.executions).findings


def test_known_violations_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GENERATIONS, "old", Known({"lost-update": "7"}, {}))

    def known_in(program: Program, generation: str | None) -> str | None:
        [finding] = run(of(program, Parameters(generation)), 0, 50).findings.values()
        return finding.known

    assert known_in(samples.lost_update(), "old") == "old-7"
    assert known_in(samples.lost_update(), "new") is None
    assert known_in(samples.lost_update(), None) is None
    assert known_in(samples.deadlock(), "old") is None
    program = samples.lost_update()
    program.parameters["generation"] = "old"  # what the program says it is counts
    assert known_in(program, None) == "old-7"


def test_a_program_that_is_none_is_the_authors_fault() -> None:
    program = Program("bad")

    async def needs(argument: int) -> None:
        """Is given none."""

    program.thread("only", needs)
    with pytest.raises(UsageError, match=r"here failed: TypeError: .*'argument'"):
        run(of(program), 0, 1)


def test_an_operation_outside_the_rules_is_the_authors_fault() -> None:
    program = Program("bad", 1)
    program.interrupt("irq", samples.crashing, program.layout.word("word"), cpu=0)
    with pytest.raises(ModelError, match="irq is AWAY"):
        run(of(program), 0, 1)
