"""Who may touch what: every route that names a thing, against all who do not own it. Made from the document."""

from collections.abc import AsyncIterator

import pytest

from tests.support.household import (
    ABSENT,
    STRANGERS,
    Household,
    Route,
    found_household,
    operators_routes,
    routes,
)
from tests.support.product import Product

ROUTES = routes()
# Things end in this order: what is inside before what it is in.
_ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")


@pytest.fixture(scope="module")
async def household(product: Product) -> AsyncIterator[Household]:
    household = await found_household(product)
    yield household
    await household.close()


def test_the_document_names_routes_of_every_sort() -> None:
    assert {name for route in ROUTES for name in route.names} >= {
        "job_id", "generation_id", "album_id", "share_id", "batch_id", "upload_id", "key_id", "notification_id",
        "endpoint_id", "delivery_id",
    }  # fmt: skip
    assert len(ROUTES) > 25


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_what_is_not_yours_is_not_there(household: Household, route: Route, who: str) -> None:
    answer = await household.call(household.strangers[who], route, household.address(route))
    if who in ("nobody", "a revoked key"):
        assert answer.status_code == 401, answer.text
        return
    assert answer.status_code == 404, answer.text
    absent = await household.call(
        household.strangers[who], route, household.address(route, dict.fromkeys(household.ids, ABSENT))
    )
    assert (absent.status_code, absent.text) == (404, answer.text), "not yours must look like not there"


@pytest.mark.parametrize("route", operators_routes(), ids=str)
async def test_what_is_the_operators_is_refused_to_everybody_else(household: Household, route: Route) -> None:
    address = household.address(route, dict.fromkeys(route.names, ABSENT))
    asking = household.strangers | {"owner": household.owner.http}
    found = {who: (await household.call(client, route, address)).status_code for who, client in asking.items()}
    assert found == {who: 401 if who in ("nobody", "a revoked key") else 403 for who in asking}


async def test_the_owner_is_let_in_everywhere(household: Household) -> None:
    # After the strangers: some of these routes end things, what lies inside before what it lies in.
    ordered = sorted(ROUTES, key=lambda route: (_ORDER.index(route.method), -len(route.names), route.path))
    refused = {}
    for route in ordered:
        answer = await household.call(household.owner.http, route, household.address(route))
        if answer.status_code in (401, 403, 404) or answer.status_code >= 500:
            refused[str(route)] = answer.text
    assert refused == {}


@pytest.mark.parametrize("path", ["/api/gallery/delete", "/api/gallery/restore", "/api/favourites", "/api/albums"])
async def test_ids_of_others_in_a_body_change_nothing(product: Product, path: str) -> None:
    owner, other = product.person(), product.person()
    image = await owner.ask()
    await owner.ended(image)
    bodies = {"/api/favourites": {"add": [image]}, "/api/albums": {"name": "Theirs", "items": [image]}}
    answer = await other.http.post(path, json=bodies.get(path, {"ids": [image]}))
    assert answer.status_code < 500
    if answer.status_code < 300:
        assert image in (answer.json().get("notFound") or answer.json().get("not_found") or [])
    assert (await owner.http.get(f"/api/gallery/{image}")).json()["favourite"] is False
