"""The outbox of persistence."""

from collections.abc import Sequence

from contracts.cloudevents import Record
from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxColumns, OutboxRow, as_rows, insert_statement

PUT_EVENTS = insert_statement("persistence")


async def put_events(connection: Connection | Pool, records: Sequence[Record]) -> list[OutboxRow]:
    """Put records into the outbox and return their rows."""
    columns = OutboxColumns.of(records)
    found = await connection.fetch(PUT_EVENTS, columns.topics, columns.keys, columns.values, columns.headers)
    return as_rows([row["id"] for row in found], records)
