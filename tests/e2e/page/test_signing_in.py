"""Signing in and out in a browser, where no identity provider is configured: with an API key."""

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit


async def a_key(visit: Visit) -> str:
    scopes = ["jobs:read", "jobs:write", "media:read", "media:write"]
    answer = await visit.person.http.post("/api/keys", json={"name": "the page", "scopes": scopes})
    secret: str = answer.json()["secret"]
    return secret


async def test_a_key_signs_in_and_leads_back_to_the_page_that_was_wanted(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("401")
    await visit.page.goto(f"{visit.product.url}/gallery")
    await visit.page.wait_for_url("**/signin?return_to=%2Fgallery")
    await visit.page.locator("#key").fill("sk_sorami_wrong")
    await visit.page.get_by_role("button", name="Sign in").click()
    await expect(visit.page.get_by_role("alert")).to_have_text("This is not one of our keys.")
    await visit.page.locator("#key").fill(await a_key(visit))
    await visit.page.get_by_role("button", name="Sign in").click()
    await visit.page.wait_for_url("**/gallery")
    await expect(visit.page.locator(".gallery")).to_have_attribute("aria-busy", "false")


async def test_whoever_signs_out_is_out(visit: Visit) -> None:
    visit.expect_complaint("401")
    await visit.page.get_by_label("Account").click()
    await visit.page.get_by_role("menuitem", name="Sign out").click()
    await visit.page.wait_for_url("**/signin")
    await visit.page.goto(visit.product.url)
    await visit.page.wait_for_url("**/signin?return_to=*")
    await expect(visit.page.locator("#key")).to_be_visible()


async def test_signing_in_speaks_french_and_fits_a_narrow_screen(new_visit: NewVisit) -> None:
    visit = await new_visit(locale="fr-FR", viewport={"width": 320, "height": 640})
    await visit.page.goto(f"{visit.product.url}/signin")
    await expect(visit.page.locator("h1")).to_have_text("Connexion")
    await expect(visit.page.get_by_label("Votre clé d’API")).to_be_visible()
    await visit.page.wait_for_function("() => document.documentElement.scrollWidth <= 320")


async def test_what_went_wrong_at_the_provider_is_said(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("404")
    await visit.page.goto(f"{visit.product.url}/signin/callback?code=x&state=y")
    await expect(visit.page.get_by_role("alert")).to_have_text("No sign-in service is configured here.")
