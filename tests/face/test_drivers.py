"""Engine and interpreter, one process and several: the same campaign."""

import pytest

from stackweave.campaign import Campaign, Subject, run
from stackweave.core.strategies import Tactic
from stackweave.drivers import DRIVERS
from stackweave.exits import Exit
from stackweave.programs import Parameters
from stackweave.registry import find

from .support import Commands, sample


def subject(name: str, generation: str | None = None) -> Subject:
    return Subject.of(find(name), Parameters(generation))


def same(one: Campaign, other: Campaign) -> bool:
    return (one.tally, one.findings) == (other.tally, other.findings)


@pytest.mark.parametrize(
    "name", ["default", "spurious-callback", "stale-snapshot", sample("machine")]
)
def test_engine_and_interpreter_find_the_same(name: str) -> None:
    campaigns = [run(subject(name), 5, 300, driver=driver) for driver in DRIVERS]
    assert same(*campaigns)
    assert campaigns[0].executions == 300


@pytest.mark.parametrize("stop_first", [False, True])
def test_the_number_of_jobs_makes_no_difference(stop_first: bool) -> None:
    one, two = (
        run(
            subject("spurious-callback", "completed"),
            1,
            40_000,
            driver="engine",
            jobs=jobs,
            stop_first=stop_first,
            allowed=["twice"],
        )
        for jobs in (1, 2)
    )
    assert same(one, two)
    assert (one.executions == 40_000) != stop_first


def test_seeds_matter() -> None:
    one, other = (run(subject("spurious-callback"), seed, 500, driver="engine") for seed in (1, 2))
    assert not same(one, other)


def test_it_stops_after_some_time() -> None:
    campaign = run(subject("spurious-callback"), 0, 10**12, driver="engine", seconds=0.3)
    assert 0 < campaign.executions < 10**9
    assert not campaign.interrupted
    again = run(subject("spurious-callback"), 0, campaign.executions, driver="engine")
    assert same(campaign, again)


@pytest.mark.parametrize("driver", DRIVERS)
def test_ctrl_c_ends_it_with_the_results_so_far(driver: str) -> None:
    def interrupt(campaign: Campaign) -> None:
        if campaign.executions >= 20:
            raise KeyboardInterrupt

    campaign = run(subject("spurious-callback"), 0, 10**12, driver=driver, watch=interrupt)
    assert campaign.interrupted
    assert same(
        run(subject("spurious-callback"), 0, campaign.executions, driver=driver),
        Campaign(0, campaign.tally, findings=campaign.findings),
    )


def test_a_driver_that_there_is_not(command: Commands) -> None:
    done = command("stress", "--driver", "none")
    assert (done.code, "invalid choice: 'none'" in done.err) == (Exit.USAGE, True)


@pytest.mark.parametrize("name", ["pct:3", "pos", "surw", "preemption-bound:2"])
def test_every_driver_and_job_decides_alike(name: str) -> None:
    tactic = Tactic.parse(name)
    engine, interpreter = (
        run(subject("spurious-callback"), 5, 100, tactic=tactic, driver=each) for each in DRIVERS
    )
    assert same(engine, interpreter)
    jobs = run(subject("spurious-callback"), 5, 600, tactic=tactic, driver="engine", jobs=2)
    assert same(jobs, run(subject("spurious-callback"), 5, 600, tactic=tactic, driver="engine"))
    assert not same(jobs, run(subject("spurious-callback"), 5, 600, driver="engine"))


def test_a_strategy_by_name(command: Commands) -> None:
    found = command("stress", "reorder_10", "--strategy", "surw", "--executions", "100")
    assert found.code == Exit.VIOLATION
    assert found.out.startswith("reorder_10, surw, seed 0\n")
    document = command("stress", "reorder_10", "--strategy", "pct:2", "--json").json()
    assert document["strategy"] == "pct:2"
    token = document["violations"][0]["replay"]
    assert "found by pct:2, seed 0" in command("replay", token).out
    refused = command("stress", "--strategy", "best")
    assert refused.code == Exit.USAGE
    assert "no strategy is named 'best': there are random-walk, pct:N" in refused.err


def test_coverage_is_counted_by_every_job_together(command: Commands) -> None:
    one, two = (
        command(
            "stress", "first-cookie", "--coverage", "--executions=3000", f"--jobs={jobs}", "--json"
        ).json()
        for jobs in (1, 2)
    )
    assert one["coverage"] == two["coverage"]
    assert one["coverage"]["states"] == one["coverage"]["exhaustive"]["states"]
    assert one["coverage"]["curve"][-1]["executions"] == 3000


def test_it_stops_when_nothing_new_comes(command: Commands) -> None:
    document = command("stress", "first-cookie", "--no-new=700", "--json").json()
    assert document["executions"] == document["coverage"]["newest_execution"] + 1 + 700
    assert " (all) and " in command("stress", "first-cookie", "--no-new=700").out


def test_coverage_where_the_whole_is_not_known(command: Commands) -> None:
    document = command("stress", "--coverage", "--executions=3", "--json").json()
    assert document["coverage"]["exhaustive"] is None
    assert " states of more than " in command("stress", "--coverage", "--executions=3").out


def test_the_interpreter_counts_no_coverage(command: Commands) -> None:
    done = command("stress", "--coverage", "--driver", "interpreter")
    assert done.code == Exit.USAGE
    assert "coverage is counted by the engine" in done.err


def test_who_is_to_blame_in_a_job_is_told(command: Commands) -> None:
    alone, together = (
        command("stress", sample("hidden"), f"--jobs={jobs}", "--executions=600") for jobs in (1, 2)
    )
    assert alone.code == together.code == Exit.USAGE
    assert alone.err == together.err
