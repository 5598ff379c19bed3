"""DATABASE_URL in every form that people have."""

import pytest

from services.runtime.database_url import parse_database_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_each_scheme_becomes_the_one_asyncpg_takes(scheme: str) -> None:
    assert parse_database_url(f"{scheme}://u:p@h:5433/sorami").dsn == "postgresql://u:p@h:5433/sorami"


def test_prismas_own_options_do_not_reach_the_server() -> None:
    address = parse_database_url(
        "postgresql://u:p@h/db?schema=app&connection_limit=5&pool_timeout=2&pgbouncer=true&connect_timeout=7"
        "&sslmode=require&statement_cache_size=0&socket_timeout=3&application_name=next"
    )

    assert address.dsn == "postgresql://u:p@h/db?sslmode=require&application_name=next"
    assert (address.schema, address.through_pooler, address.connect_timeout) == ("app", True, 7.0)


def test_the_schema_is_public_unless_said() -> None:
    assert parse_database_url("postgresql://h/db").schema == "public"
    assert parse_database_url("postgresql://h/db?schema=").schema == "public"


def test_every_session_finds_prismas_tables_and_speaks_utc() -> None:
    settings = parse_database_url("postgresql://h/db?schema=My%22App").server_settings

    assert settings == {"search_path": '"My""App"', "timezone": "UTC"}


@pytest.mark.parametrize("hosts", ["h1:5432,h2:5433", "[::1]:5432", "[::1]", "h"])
def test_several_hosts_and_addresses_in_brackets_are_kept(hosts: str) -> None:
    assert parse_database_url(f"postgresql://u@{hosts}/db").dsn == f"postgresql://u@{hosts}/db"


def test_a_socket_folder_is_kept() -> None:
    assert parse_database_url("postgresql:///sorami?host=/run/postgresql").dsn == (
        "postgresql:///sorami?host=%2Frun%2Fpostgresql"
    )


def test_an_escaped_password_stays_escaped_and_is_never_printed() -> None:
    address = parse_database_url("postgresql://u:p%40ss%2Fw%23rd@h/db")

    assert "p%40ss%2Fw%23rd" in address.dsn
    assert "p%40ss" not in repr(address)


def test_prismas_certificate_of_the_authority_is_not_taken_for_a_clients() -> None:
    assert "sslrootcert=ca.pem" in parse_database_url("postgresql://h/db?sslcert=ca.pem").dsn
    both = parse_database_url("postgresql://h/db?sslcert=client.pem&sslkey=client.key").dsn
    assert "sslcert=client.pem" in both
    assert "sslrootcert" not in both


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must look like postgresql://"),
        ("mysql://u:secret@h/db", "must look like postgresql://"),
        ("prisma+postgres://accelerate.example/?api_key=secret", "must look like postgresql://"),
        ("postgresql://", "must look like postgresql://"),
        ("postgresql://u:se#cret@h/db", "write it as %23"),
        ("postgresql://u:secret@h/db?connect_timeout=soon", "connect_timeout is not a number"),
        ("postgresql://u:secret@h:port/db", "a port that is no number"),
        ("postgresql://u:se/cret@h/db", "write '/' as %2F"),
    ],
)
def test_what_cannot_be_read_is_said_without_the_password(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")) as refused:
        parse_database_url(url)

    assert "cret" not in str(refused.value)
