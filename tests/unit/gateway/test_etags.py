"""Which answers need not be sent twice."""

import pytest

from services.gateway.api.etags import has_version

ETAG = 'W/"abc"'


@pytest.mark.parametrize(
    ("header", "is_known"),
    [
        (None, False),
        ("", False),
        ("*", True),
        ('W/"abc"', True),
        ('"abc"', True),
        ('"x", W/"abc" , "y"', True),
        ('"x"', False),
        ('"xabc"', False),
        ("abc", False),
        ('"a, b", "abc"', True),
    ],
)
def test_a_list_of_versions_is_read_as_rfc_9110_says(header: str | None, is_known: bool) -> None:
    assert has_version(header, ETAG) is is_known
