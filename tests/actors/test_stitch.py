"""Stitching by cookie: what a deferred record releases, and what stays unmerged."""

from stackweave.actors.stitch import Stitched, Stitcher
from stackweave.wire.messages import Deferred, Sample


def asked(task: int, cookie: int) -> Sample:
    return Sample(task, 0, cookie, 0, ())


def test_a_record_releases_the_samples_of_its_cookie() -> None:
    stitcher = Stitcher()
    samples = [asked(1, 7), asked(1, 7)]
    for sample in samples:
        assert list(stitcher.sample(sample)) == []
    released = list(stitcher.deferred(Deferred(1, 7, (10, 20))))
    assert released == [Stitched(sample, (10, 20), merged=True) for sample in samples]
    assert list(stitcher.flush()) == []


def test_a_record_of_another_cookie_releases_them_unmerged() -> None:
    stitcher = Stitcher()
    list(stitcher.sample(asked(1, 7)))
    assert list(stitcher.deferred(Deferred(1, 9, (10,)))) == [
        Stitched(asked(1, 7), (), merged=False)
    ]


def test_tasks_do_not_meet() -> None:
    stitcher = Stitcher()
    list(stitcher.sample(asked(1, 7)))
    assert list(stitcher.deferred(Deferred(2, 7, (10,)))) == []
    assert [each.sample.task for each in stitcher.flush()] == [1]


def test_a_sample_after_its_record_waits_for_the_next_one() -> None:
    stitcher = Stitcher()
    assert list(stitcher.deferred(Deferred(1, 7, (10,)))) == []
    list(stitcher.sample(asked(1, 7)))
    assert [each.merged for each in stitcher.deferred(Deferred(1, 9, (11,)))] == [False]


def test_a_refused_sample_has_its_own_chain() -> None:
    refused = Sample(1, 0, 0, -22, (5, 6))
    assert list(Stitcher().sample(refused)) == [Stitched(refused, (5, 6), merged=False)]
