"""perf as a user of upstream's deferred unwinding."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_SOURCE: Final = "kernel/events/core.c @ c69993ecdd4d"

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
        source="tools/perf, M:54511368486; M:8407560590",
        verdict=Verdict.OPEN,
        story=(
            "A request after its entry's callback returns 1 and refers to a record that has passed.",
            "Tools keep samples until a record of their thread comes, and this one has come before.",
            "Whether the sample stays unmerged is the tools' affair, which no program here judges.",
        ),
    ),
    Entry(
        id="upstream-perf-sideband",
        title="an event with output alone gets no records",
        generation="upstream",
        source=f"{_SOURCE}, account_pmu_sb_event()",
        verdict=Verdict.OPEN,
        story=(
            "An event of a CPU that has defer_output and nothing else is not put on the list of sideband events.",
            "The callback goes through that list.",
            "The models have no such list, so this is not tried.",
        ),
    ),
)
