"""`sorami seed-data`: many rows that look real, and none left when they are removed."""

import pytest

from contracts.failures import Failure, FailureCode
from services.persistence.migrations.backfill import INDEX_PROMPTS
from sorami import seed_data
from tests.support.postgres import Database, wait_for

TABLES = ("image_generations", "video_generations", "image_files", "video_files", "sorami.jobs", "sorami.files",
          "sorami.favourites", "sorami.search_documents", "users")  # fmt: skip


def counts(database: Database) -> dict[str, int]:
    return {table: database.value(f"SELECT count(*) FROM {table}") for table in TABLES}


def test_a_database_is_filled_and_emptied_of_it_again(migrated: Database) -> None:
    migrated.execute("INSERT INTO users (id, \"clerkId\") VALUES ('u1', 'user_1')")
    before = counts(migrated)

    wait_for(seed_data.seed(migrated.url, seed_data.Wish(jobs=600, owners=3)))
    wait_for(seed_data.seed(migrated.url, seed_data.Wish(jobs=400, owner="user_1", searchable=100)))

    after = counts(migrated)
    assert after["image_generations"] + after["video_generations"] == 1000
    assert after["sorami.search_documents"] == 700
    assert all(after[table] > before[table] for table in TABLES)
    kinds = migrated.rows("SELECT DISTINCT status::text FROM image_generations ORDER BY 1")
    assert [status for (status,) in kinds] == ["COMPLETED", "FAILED", "GENERATING", "PENDING"]
    failures = migrated.rows("SELECT failure::text FROM sorami.jobs WHERE failure IS NOT NULL")
    assert {Failure.model_validate_json(text).code for (text,) in failures} == {FailureCode.PROVIDER_ERROR}
    open_jobs = migrated.value("SELECT count(*) FROM sorami.jobs WHERE status IN ('PENDING', 'GENERATING')")
    assert open_jobs == 0, "no service may take a made-up job for work"
    wait_for(seed_data.remove(migrated.url))
    assert counts(migrated) == before


def test_seeded_documents_are_what_the_indexer_would_make(migrated: Database) -> None:
    wait_for(seed_data.seed(migrated.url, seed_data.Wish(jobs=100)))
    documents = (
        "SELECT generation_id, kind, owner_id, created_at, document::text FROM sorami.search_documents ORDER BY 1"
    )
    seeded = migrated.rows(documents)
    migrated.settings["timezone"] = "UTC"
    ids = [row[0] for row in seeded]
    migrated.execute(INDEX_PROMPTS, ids)
    assert migrated.rows(documents) == seeded


@pytest.mark.parametrize("name", ["production", "Production", "prod"])
def test_production_is_never_filled(name: str) -> None:
    with pytest.raises(seed_data.SeedingRefused):
        seed_data.check_environment({"ENVIRONMENT": name, "DATABASE_URL": "postgresql://h/db"})


def test_nobody_unknown_is_seeded_for(migrated: Database) -> None:
    with pytest.raises(seed_data.SeedingRefused):
        wait_for(seed_data.seed(migrated.url, seed_data.Wish(jobs=1, owner="nobody")))
