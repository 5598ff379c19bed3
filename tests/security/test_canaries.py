"""Secrets stay where they are: none stands in a log, a row, a record or an answer (S34)."""

import base64
from urllib.parse import unquote, urlsplit

from aiokafka import AIOKafkaConsumer

from contracts.topics import all_topics
from tests.support.product import SECRET, Person, Product
from tests.support.providers.fake import KEY


async def _secrets(product: Product, person: Person) -> dict[str, str]:
    """What must not be found: what the processes were started with, and what people were told once."""
    env = product.stack.env
    key = (await person.http.post("/api/keys", json={"name": "canary", "scopes": ["jobs:read"]})).json()
    receiver = env["SORAMI_WEBHOOK_ALLOW"].partition(",")[0]
    endpoint = await person.http.post("/api/webhook-endpoints", json={"url": f"http://{receiver}/canary/{key['id']}"})
    job = await person.ask()
    await person.ended(job)
    password = "correct horse battery canary"
    share = await person.http.post("/api/shares", json={"generation_id": job, "password": password})
    return {
        "the webhook secret": SECRET,
        "a provider's key": KEY,
        "the database's password": unquote(urlsplit(env["DATABASE_URL"]).password or ""),
        "the bucket's key": env["AWS_SECRET_ACCESS_KEY"],
        "the key that seals": env["SORAMI_ENCRYPTION_KEYS"].partition(":")[2],
        "an API key": key["secret"],
        "an endpoint's secret": endpoint.json()["secret"].removeprefix("whsec_"),
        "a share's password": password,
        "a share's address": share.json()["url"].rpartition("/")[2],
        "a token": product.stack.token(person.subject).rpartition(".")[2],
    }


async def _provoked(product: Product, person: Person, secrets: dict[str, str]) -> None:
    """Say each secret where it does not belong, and where it is refused."""
    for word in secrets.values():
        await person.http.get("/api/jobs", headers={"Authorization": f"Bearer {word}"})
        await product.backend_says("image", {"job_id": "x"}, secret=word + "x")
        await person.http.post("/api/images/generate", content=word.encode(), headers={"Content-Type": word[:20]})


async def _records(product: Product) -> list[tuple[str, bytes]]:
    """Return every record there is, with its headers."""
    consumer = AIOKafkaConsumer(
        *(topic.name for topic in all_topics()),
        bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {place for place, end in ends.items() if end}
        found = []
        while left:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [(record.topic, (record.value or b"") + repr(record.headers).encode()) for record in records]
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
        return found
    finally:
        await consumer.stop()


async def test_S34_no_secret_stands_in_a_log_a_row_or_a_record(product: Product) -> None:
    person = product.person()
    secrets = await _secrets(product, person)
    assert all(len(secret) >= 8 for secret in secrets.values())
    await _provoked(product, person, secrets)
    found = []
    for log in product.stack.home.logs.iterdir():
        text = log.read_text(errors="replace") if log.is_file() else ""
        found += [f"{name} in the log {log.name}" for name, secret in secrets.items() if secret in text]
    tables = await product.rows(
        "SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'sorami') AND table_type = 'BASE TABLE'"
    )
    # Bytes are shown as hex in a row's text, and a secret may be kept decoded.
    forms = {name: _forms(secret) for name, secret in secrets.items()}
    for table in tables:
        for name, shapes in forms.items():
            statement = f"SELECT count(*) FROM {table['name']} t WHERE t::text LIKE ANY($1::text[])"
            if (await product.row(statement, [f"%{shape}%" for shape in shapes]))[0]:
                found.append(f"{name} in {table['name']}")
    for topic, record in await _records(product):
        found += [f"{name} on {topic}" for name, secret in secrets.items() if secret.encode() in record]
    assert sorted(set(found)) == []


def _forms(secret: str) -> list[str]:
    shapes = [secret, secret.encode().hex()]
    try:
        shapes.append(base64.b64decode(secret, validate=True).hex())
    except ValueError:
        return shapes
    return [shape for shape in shapes if len(shape) >= 8]
