"""perf as a user of upstream's deferred unwinding."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_SOURCE: Final = "kernel/events/core.c @ c69993ecdd4d"
_BEFORE: Final = ("bitmask_v12_patch8", "bitmask_v12", "bitmask", "completed")
"""Where perf was no user yet, and where its requests would have been answered in the same way."""

ENTRIES: Final = (
    Entry(
        id="upstream-perf-everybody",
        title="every session receives everybody's records",
        generation="upstream",
        source=f"{_SOURCE}, perf_iterate_sb(); M:8377706065",
        verdict=Verdict.REPRODUCED,
        story=(
            "perf registers one work, whoever asks.",
            "Its callback gives the record to every session of the task and of the CPU.",
            "A session gets records whose cookies none of its samples has.",
        ),
        case=Case("perf-everybody"),
        signatures=("unrequested",),
        seen=True,
    ),
    Entry(
        id="upstream-perf-last-record",
        title="a task's session misses its last record",
        generation="upstream",
        source=f"kernel/exit.c, do_exit() @ v6.19; {_SOURCE}; M:7982198774",
        verdict=Verdict.REPRODUCED,
        story=(
            "A task's last system call is sampled, and the record is to come when it exits.",
            "perf_event_exit_task() takes the task's events away before unwinding's exit hook runs.",
            "The callback finds no session, and the sample's record is never written.",
        ),
        case=Case("perf-last-record"),
        signatures=("lost",),
        gone=(
            Gone(
                "upstream, exit-hook-before-perf",
                "the hook as b3b9cb11aa03 placed it",
                Case("perf-last-record", Parameters(flavour="exit-hook-before-perf")),
            ),
        ),
        seen=True,
    ),
    Entry(
        id="upstream-perf-migration",
        title="a record goes to another CPU's session",
        generation="upstream",
        source=f"{_SOURCE}, perf_iterate_sb(); M:8377706065",
        verdict=Verdict.REPRODUCED,
        story=(
            "A task is sampled by the session of the CPU that it runs on.",
            "It comes back to user mode on another CPU.",
            "The record goes to that CPU's session, and the one that asked never gets it.",
        ),
        case=Case("perf-migration"),
        signatures=("lost",),
        conditional="sessions of single CPUs; tools that read all buffers stitch by the thread",
    ),
    Entry(
        id="upstream-perf-backward",
        title="a backward reference stays unmerged",
        generation="upstream",
        source="tools/perf/util/session.c, M:54511368486; M:8407560590",
        verdict=Verdict.REPRODUCED,
        story=(
            "perf's reader keeps samples until the next record of their thread comes, which ends their waiting.",
            "A request after its entry's callback returns 1, and its sample comes after the record it refers to.",
            "The next record has another cookie, or there is none, and the sample is left without a callchain.",
        ),
        case=Case("perf-backward"),
        signatures=("unmerged",),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-perf-sideband",
        title="an event with output alone gets no records",
        generation="upstream",
        source="kernel/events/core.c @ yailabs/yai 5f6e5cf60127, is_sb_event(), account_pmu_sb_event()",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "The callback goes through the CPU's list of sideband events, and those of the task.",
            "An event of a CPU is put on that list for any of ten attributes, and defer_output is none of them.",
            "So one that has defer_output and none of the ten gets no records, in whatever order things happen.",
        ),
    ),
)
