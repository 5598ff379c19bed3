"""A batch is read into its jobs: each fault has its place, each variation its seed."""

import pytest

from contracts.batches import read_batch
from contracts.faults import RequestRefused


def test_seeds_that_were_drawn_are_distinct_and_no_part_of_what_was_asked() -> None:
    body = {"kind": "image", "prompt": "a", "variations": 100}
    first, second = read_batch(body), read_batch(body)
    assert len({job.options["seed"] for job in first.jobs}) == 100
    assert first.digest() == second.digest()
    assert [job.options["seed"] for job in first.jobs] != [job.options["seed"] for job in second.jobs]


def test_a_seed_that_was_asked_for_is_the_first_of_its_variations() -> None:
    jobs = read_batch({"kind": "image", "prompt": "a", "variations": 3, "seed": 2**32 - 1}).jobs
    assert [job.options["seed"] for job in jobs] == [2**32 - 1, 0, 1]


def test_one_prompt_without_variations_has_no_seed() -> None:
    [job] = read_batch({"kind": "image", "prompt": "a"}).jobs
    assert "seed" not in job.options


def test_a_hundred_jobs_are_a_batch_and_one_more_is_not() -> None:
    assert len(read_batch({"kind": "image", "prompts": ["a"] * 50, "variations": 2}).jobs) == 100
    with pytest.raises(RequestRefused) as refused:
        read_batch({"kind": "image", "prompts": ["a"] * 51, "variations": 2})
    assert refused.value.faults[0].code == "batch_too_large"


def test_a_request_without_a_kind_takes_the_batches() -> None:
    jobs = read_batch({"kind": "video", "requests": [{"prompt": "a"}, {"prompt": "b", "kind": "image"}]}).jobs
    assert [job.kind.name for job in jobs] == ["video", "image"]
