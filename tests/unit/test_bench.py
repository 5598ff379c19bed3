"""What the bench makes of its rounds: medians, ratios, noise and its report."""

from tests.bench import report
from tests.bench.report import Row
from tests.bench.running import Measured, Round, Spread, interleave, keep


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine is twice as fast in the second round: ratios do not notice.
    measured = Measured((Round({"a.x": 30, "b.x": 10}, 0.0), Round({"a.x": 62, "b.x": 20}, 0.0)))

    assert measured.ratio("a.x", "b.x") == Spread((3 + 3.1) / 2, 3.0, 3.1, 2)


def test_a_spread_is_the_median_between_the_least_and_the_most() -> None:
    assert Spread.of([5.0, 1.0, 3.0, 9.0, 2.0]) == Spread(3.0, 1.0, 9.0, 5)


def test_the_quietest_rounds_are_kept_in_their_order() -> None:
    rounds = [Round({"a": number}, noise) for number, noise in enumerate((0.5, 0.1, 0.9, 0.0))]

    assert [one.values["a"] for one in keep(rounds, 2)] == [1, 3]


async def test_noisy_rounds_are_repeated_and_at_last_kept_with_their_noise() -> None:
    turns = []

    async def side() -> dict[str, float]:
        turns.append(1)
        # Nobody of ours worked, so whatever was used was somebody else's, if only a little.
        return {"x": float(len(turns))}

    measured = await interleave({"a": side}, rounds=3, say=lambda _: None)

    assert 3 <= len(turns) <= 6
    assert len(measured.rounds) == 3
    assert measured.foreign == max(one.foreign for one in measured.rounds)


def row(value: float, goal: float | None, *, at_least: bool = True) -> Row:
    return Row("accept", "accepted", "x", Spread.of([value]), goal, at_least)


def test_a_goal_is_met_on_its_own_side() -> None:
    assert row(3.1, 3).met is True
    assert row(2.9, 3).met is False
    assert row(2.9, 3, at_least=False).met is True
    assert row(1, None).met is None


def test_a_report_is_read_back_as_it_was_written() -> None:
    rows = [row(2.5, 3), row(7, None)]

    assert report.read_rows(report.as_json(rows, {"date": "2026-11-22"})) == rows


def test_the_table_and_the_picture_show_what_was_missed() -> None:
    rows = [row(2.5, 3), row(4, 3)]

    table = report.as_table(rows)
    assert "| ✗ | accepted | ≥ 3 x | 2.5 x |" in table
    assert "| ✓ | accepted | ≥ 3 x | 4 x |" in table
    assert report.as_picture(rows).count("<rect") == 3


def test_two_reports_are_compared_by_their_medians() -> None:
    assert "| accepted | 2 x | 3 x | 1.50 |" in report.compare([row(2, None)], [row(3, None)])
