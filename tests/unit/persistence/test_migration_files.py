"""The SQL files beside the runner: their order, their phases, the versions that code states."""

from pathlib import Path

import pytest

from services.persistence.migrate import main
from services.persistence.migrations.files import SqlFile, due, numbered_files, read_sql, roles_file
from services.runtime.schema_version import HIGHEST_SCHEMA, LOWEST_SCHEMA


def named(*names: str) -> list[SqlFile]:
    return [SqlFile(name, name.split("_")[1], "") for name in names]


def test_code_states_the_schema_that_its_own_files_make() -> None:
    files = numbered_files()

    assert len(files) == HIGHEST_SCHEMA
    assert max(place for place, file in enumerate(files, start=1) if file.phase == "pre") == LOWEST_SCHEMA


def test_all_is_every_file_that_was_not_applied_in_order() -> None:
    files = named("0001_pre_a.sql", "0002_post_b.sql", "0003_pre_c.sql", "0004_post_d.sql")

    assert [file.name for file in due(files, {"0001_pre_a.sql"}, "all")] == [file.name for file in files[1:]]


def test_before_the_new_code_starts_the_last_post_files_wait() -> None:
    files = named("0001_pre_a.sql", "0002_post_b.sql", "0003_pre_c.sql", "0004_post_d.sql")

    assert [file.name for file in due(files, set(), "pre")] == ["0001_pre_a.sql", "0002_post_b.sql", "0003_pre_c.sql"]


@pytest.mark.parametrize("name", ["0001_x.sql", "0003_pre_x.sql", "1_pre_x.sql"])
def test_a_stray_file_is_an_error_of_the_build(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")

    with pytest.raises(ValueError, match=name):
        numbered_files(tmp_path)


def test_the_checksum_does_not_depend_on_line_ends(tmp_path: Path) -> None:
    unix, windows = tmp_path / "unix.sql", tmp_path / "windows.sql"
    unix.write_bytes(b"SELECT 1;\nSELECT 2;\n")
    windows.write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")

    assert read_sql(unix, "pre").checksum == read_sql(windows, "pre").checksum


def test_an_administrator_gets_the_roles_for_the_login_and_schema_of_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://o%27brien:pw-canary@h/db?schema=app")

    assert main(["--print-roles"]) == 0

    printed = capsys.readouterr().out
    assert 'SET search_path TO "app";' in printed
    assert "SET sorami.login = 'o''brien';" in printed
    assert roles_file().sql in printed
    assert "pw-canary" not in printed


def test_without_an_address_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    assert main([]) == 78

    assert capsys.readouterr().err == "sorami migrate: DATABASE_URL is not set\n"
