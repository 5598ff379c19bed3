"""Search documents follow whoever writes the rows, and an adopted database is searchable when its migration is done."""

from tests.support import prisma_made
from tests.support.postgres import Database

PERSON = "INSERT INTO users (id, \"clerkId\") VALUES ('u1', 'user_1')"
INSERT = "INSERT INTO {kind}_generations (id, prompt, \"authorId\") VALUES ($1, $2, 'u1')"
EVERY = "SELECT (SELECT count(*) FROM image_generations) + (SELECT count(*) FROM video_generations)"
PENDING = "SELECT generation_id, kind, owner_id FROM sorami.search_pending ORDER BY 1"


def test_a_new_prompt_is_noted_for_any_role_that_may_insert_it(migrated: Database) -> None:
    migrated.execute(PERSON)
    migrated.execute("CREATE ROLE an_application; GRANT INSERT ON image_generations TO an_application")
    try:
        migrated.execute(INSERT.format(kind="image"), "g1", "un chat", role="an_application")
        migrated.execute(INSERT.format(kind="video"), "g2", "une mer", role="sorami_gateway")
        assert migrated.rows(PENDING) == [("g1", "image", "u1"), ("g2", "video", "u1")]
    finally:
        migrated.execute("DROP OWNED BY an_application; DROP ROLE an_application")


def test_a_changed_prompt_loses_its_document_and_is_noted_again(migrated: Database) -> None:
    migrated.execute(PERSON)
    migrated.execute(INSERT.format(kind="image"), "g1", "un chat")
    migrated.execute("DELETE FROM sorami.search_pending")
    migrated.execute(
        "INSERT INTO sorami.search_documents VALUES ('g1', 'image', 'u1', now(), sorami.search_document('un chat'))"
    )
    migrated.execute("UPDATE image_generations SET progress = 20 WHERE id = 'g1'")
    assert migrated.rows(PENDING) == []
    migrated.execute("UPDATE image_generations SET prompt = 'un chien' WHERE id = 'g1'")
    assert migrated.rows(PENDING) == [("g1", "image", "u1")]
    assert migrated.value("SELECT count(*) FROM sorami.search_documents") == 0
    migrated.execute("DELETE FROM image_generations WHERE id = 'g1'")
    assert migrated.rows(PENDING) == []


def test_an_adopted_database_is_searchable_when_its_migration_is_done(empty: Database) -> None:
    prisma_made.make(empty)

    outcome = empty.migrate()

    assert "applied search.backfill" in outcome.text
    assert empty.value("SELECT count(*) FROM sorami.search_documents") == empty.value(EVERY)
    assert empty.value("SELECT count(*) FROM sorami.search_words WHERE word = 'chat'") == 1
    mine = "SELECT count(*) FROM sorami.search_documents WHERE document @@ 'mignon'::tsquery"
    assert empty.value(mine) == empty.value("SELECT count(*) FROM image_generations WHERE prompt LIKE '%mignon%'")


def test_a_backfill_that_was_stopped_begins_again(empty: Database) -> None:
    prisma_made.make(empty)
    assert empty.migrate().code == 0
    empty.execute("DELETE FROM sorami.schema_migrations WHERE name = 'search.backfill'")
    empty.execute("DELETE FROM sorami.search_documents WHERE generation_id > 'd'")

    assert empty.migrate().text.startswith("applied search.backfill\n")

    assert empty.value("SELECT count(*) FROM sorami.search_documents") == empty.value(EVERY)
    assert "nothing to do" in empty.migrate().text


def test_nothing_of_it_needs_an_extension(migrated_once: Database) -> None:
    assert migrated_once.rows("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'") == []


def test_accents_fold_in_every_form_and_case(migrated_once: Database) -> None:
    words = [
        "ÉLÉGANT",
        "e\u0301le\u0301gant",
        "Œuvre",
        "Ærø",
        "STRAßE",
        "Łódź",
        "naïve",
        "ça",
        "plain",
        "Москва",
        "東京",
    ]
    fold = "SELECT array_agg(sorami.search_fold(w) ORDER BY n) FROM unnest($1::text[]) WITH ORDINALITY AS t(w, n)"
    folded = migrated_once.value(fold, words)
    assert folded == [
        "elegant",
        "elegant",
        "oeuvre",
        "aero",
        "strasse",
        "lodz",
        "naive",
        "ca",
        "plain",
        "москва",
        "東京",
    ]
