"""`docs/operating/backup.md` is true: its lines bring everything back, and the logins it names are those that can."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aioboto3
import pytest

from sorami.local.postgres import programs
from tests.support.gateways import more_gateways
from tests.support.postgres import Database, PostgresServer, binaries
from tests.support.product import Person, Product

PAGE = Path(__file__).parents[2] / "docs" / "operating" / "backup.md"
TABLES = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname IN ('public', 'sorami') ORDER BY 1
"""


def lines_of(path: str) -> str:
    """Return a block of commands of the page."""
    found = re.search(rf"<!-- path: {path} -->\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"{PAGE} has no block {path}"
    return found[1]


def run(path: str, folder: Path, env: dict[str, str]) -> str:
    """Run a block of the page as somebody at a shell does."""
    places = [str(Path(sys.executable).parent), str(programs() / "bin"), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines_of(path)],
        env={**os.environ, **env, "PATH": os.pathsep.join(places)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def made(person: Person, kind: str, **body: object) -> str:
    job_id = await person.ask(kind, **body)
    assert (await person.ended(job_id, kind))[-1].data["status"] == "COMPLETED"
    return job_id


async def copy_bucket(env: dict[str, str], keys: list[str], target: str) -> None:
    session = aioboto3.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["S3_REGION"])
    async with session.client("s3", endpoint_url=env["S3_ENDPOINT_URL"]) as client:
        await client.create_bucket(Bucket=target)
        for key in keys:
            await client.copy_object(Bucket=target, Key=key, CopySource={"Bucket": env["S3_BUCKET"], "Key": key})


async def everything(person: Person, url: str) -> dict[str, object]:
    """What a person finds at a gateway: rows, and the bytes behind every address."""
    gallery = (await person.http.get(f"{url}/api/gallery?limit=50")).json()
    found: dict[str, object] = {"favourites": (await person.http.get(f"{url}/api/gallery?favourite=true")).json()}
    for item in gallery["generations"]:
        kind, job_id = item["kind"], item["id"]
        result = (await person.http.get(f"{url}/api/{kind}s/{job_id}/result")).json()
        for file in result[f"{kind}s"]:
            path = re.sub(r"^https?://[^/]+", "", file["fileUrl"])
            answer = await person.http.get(url + path, follow_redirects=True)
            assert answer.status_code == 200, (path, answer.text)
            found[path] = hashlib.sha256(answer.content).hexdigest()
        found[job_id] = (await person.http.get(f"{url}/api/{kind}s/{job_id}/status")).json()
    return found


async def test_a_dump_and_a_copy_of_the_bucket_bring_everything_back(product: Product, tmp_path: Path) -> None:
    person, stranger = product.person(), product.person()
    await stranger.user_id()
    jobs = [await made(person, "image", num_images=2), await made(person, "video"), await made(person, "image")]
    hidden = await made(person, "image")
    assert (await person.http.put(f"/api/favourites/{jobs[0]}")).status_code < 300
    assert (await person.http.delete(f"/api/gallery/{hidden}")).status_code < 300
    before = await everything(person, product.url)
    assert len(before) >= 1 + 2 * len(jobs)

    env = product.stack.env
    run("backup", tmp_path, env)
    keys = [
        key for job_id in jobs for kind in ("images", "videos") for key in await product.object_keys(f"{kind}/{job_id}")
    ]
    bucket = f"restored-{jobs[0]}"
    await copy_bucket(env, keys, bucket)
    later = await made(person, "image")

    name = f"restored_{jobs[0]}"
    restored = env["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    await product.pool.execute(f"CREATE DATABASE {name}")
    try:
        said = run("restore", tmp_path, env | {"RESTORED": restored})
        assert "nothing to do" in said, said
        async with more_gateways(product, 1, DATABASE_URL=restored, S3_BUCKET=bucket) as [url]:
            assert await everything(person, url) == before
            assert (await person.http.get(f"{url}/api/jobs/{later}")).status_code == 404
            assert (await person.http.get(f"{url}/api/images/{hidden}/result")).status_code == 404
            # Grants and rules have come along: a stranger sees nothing.
            assert (await stranger.http.get(f"{url}/api/jobs/{jobs[0]}")).status_code == 404
            assert (await stranger.http.get(f"{url}/api/gallery")).json()["generations"] == []
    finally:
        await product.pool.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def keepers(postgres: PostgresServer, migrated_name: str) -> Iterator[Database]:
    """A database with a row under row-level security, and logins that might dump it."""
    with postgres.lent(migrated_name) as database:
        database.execute("""INSERT INTO users (id, "clerkId", email) VALUES ('keeper', 'keeper', 'keeper@example.com');
                            INSERT INTO image_generations (id, "authorId", prompt) VALUES ('kept', 'keeper', 'kept')""")
        roles = "CREATE ROLE reads LOGIN; CREATE ROLE bypasses LOGIN BYPASSRLS; CREATE ROLE owns LOGIN"
        database.execute(f"{roles}; GRANT pg_read_all_data TO reads, bypasses; GRANT USAGE ON SCHEMA sorami TO owns")
        for (table,) in database.rows(TABLES):
            database.execute(f"ALTER TABLE {table} OWNER TO owns")
        yield database
        database.execute("DROP OWNED BY owns, reads, bypasses CASCADE; DROP ROLE owns, reads, bypasses")


@pytest.mark.parametrize(
    ("login", "options", "whole"),
    [
        ("postgres", [], True),
        ("owns", [], True),
        ("bypasses", [], True),
        ("reads", ["--enable-row-security"], True),
        ("reads", [], False),
    ],
)
def test_who_may_dump(keepers: Database, login: str, options: list[str], whole: bool) -> None:
    argv: list[str | Path] = [
        binaries() / "pg_dump",
        "--data-only",
        *options,
        "-t",
        "image_generations",
        keepers.with_user(login).url,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is whole, done.stderr
    if whole:
        assert "\nkept\t" in done.stdout
    else:
        assert "query would be affected by row-level security policy" in done.stderr
