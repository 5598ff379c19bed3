"""Which schemas a build runs on."""

import pytest

from services.runtime.schema_version import HIGHEST_SCHEMA, LOWEST_SCHEMA, SchemaMismatch, judge

APPLIED = [f"{number:04d}_pre_x.sql" for number in range(1, LOWEST_SCHEMA + 1)]


def test_the_schema_of_this_build_is_accepted() -> None:
    judge([*APPLIED, "roles.sql"])


def test_an_older_schema_is_refused_with_the_command_that_mends_it() -> None:
    with pytest.raises(SchemaMismatch) as refused:
        judge(APPLIED[:-1])

    assert str(refused.value) == (
        f"database schema is {LOWEST_SCHEMA - 1}, this build needs {LOWEST_SCHEMA}: run sorami migrate"
    )
    assert refused.value.exit_code == 78


def test_a_hole_is_not_hidden_by_a_later_migration() -> None:
    with pytest.raises(SchemaMismatch, match=f"database schema is 1, this build needs {LOWEST_SCHEMA}"):
        judge([APPLIED[0], *APPLIED[2:]])


def test_an_old_instance_may_restart_while_a_new_release_rolls_out() -> None:
    judge([*APPLIED, f"{HIGHEST_SCHEMA + 1:04d}_pre_next.sql"])


def test_a_newer_schema_that_left_this_build_behind_is_refused() -> None:
    newer = HIGHEST_SCHEMA + 2
    with pytest.raises(
        SchemaMismatch, match=f"database schema is {newer}, this build runs on at most {HIGHEST_SCHEMA}"
    ):
        judge([*APPLIED, f"{HIGHEST_SCHEMA + 1:04d}_pre_next.sql", f"{newer:04d}_post_next.sql"])
