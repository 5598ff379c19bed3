"""Settings: keys, webhooks and channels with their logs, links that were given away; by keyboard; and the bell."""

import re

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit
from tests.support.receiver import Receiver


async def test_a_key_is_made_told_once_and_revoked(visit: Visit) -> None:
    await visit.page.goto(visit.product.url + "/settings")
    keys = visit.page.locator("#keys")
    await expect(keys).to_contain_text("No keys yet.")
    await keys.get_by_role("button", name="New key").click()
    await visit.page.get_by_label("Name").fill("nightly report")
    await visit.page.get_by_text("Change the gallery, upload").uncheck()
    await visit.page.get_by_role("button", name="Make the key").click()
    secret = await visit.page.locator(".secret").inner_text()
    assert re.fullmatch(r"sk_sorami_\S+", secret.strip())
    await visit.page.get_by_role("dialog").get_by_label("Close").click()
    await expect(keys.locator("tbody tr")).to_contain_text(["nightly report"])
    await expect(keys).not_to_contain_text("media:write")
    mine = {"Authorization": f"Bearer {secret.strip()}"}
    assert (await visit.person.http.get("/api/jobs", headers=mine)).status_code == 200
    await keys.get_by_role("button", name="Revoke nightly report").click()
    await expect(keys).to_contain_text("No keys yet.")


async def test_a_webhook_is_made_tested_read_in_its_log_sent_again_and_paused(visit: Visit, hooks: Receiver) -> None:
    visit.expect_complaint("422")
    await visit.page.goto(visit.product.url + "/settings")
    section = visit.page.locator("#webhooks")
    await section.get_by_role("button", name="New endpoint").click()
    address = visit.page.get_by_label("Address")
    await address.fill("http://10.0.0.1/hook")
    await visit.page.get_by_role("button", name="Make the endpoint").click()
    await expect(visit.page.locator(".toast.bad")).to_be_visible()
    await address.fill(hooks.url("/page"))
    await visit.page.get_by_role("button", name="Make the endpoint").click()
    await expect(visit.page.locator(".secret")).to_contain_text("whsec_")
    await visit.page.get_by_role("dialog").get_by_label("Close").click()
    await section.get_by_role("button", name="Send a test").click()
    await hooks.wait_at("/page", 1, "test")
    log = section.locator(".deliveries")
    await expect(log).to_contain_text("delivered")
    await log.get_by_role("button", name="test").click()
    await expect(log.locator("pre")).to_contain_text('"type": "test"')
    await expect(log.locator(".tries")).to_contain_text("200")
    await log.get_by_role("button", name="Send again").click()
    await hooks.wait_at("/page", 2, "test")
    await section.get_by_label("Actions of").click()
    await visit.page.get_by_role("menuitem", name="Pause").click()
    await expect(section).to_contain_text("paused")
    await section.get_by_label("Actions of").click()
    await visit.page.get_by_role("menuitem", name="Delete").click()
    await expect(section).to_contain_text("No endpoints yet.")


async def test_a_shared_link_with_a_password_works_until_it_is_ended(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("401|403|410")
    await visit.made("for somebody else")
    await visit.arrive("/gallery")
    await visit.do("for somebody else", "Share")
    await visit.page.get_by_label("Password").fill("open sesame")
    await visit.page.get_by_role("button", name="Make the link").click()
    url = await visit.page.get_by_role("textbox", name="The link").input_value()
    stranger = await new_visit()
    stranger.expect_complaint("401|410")
    await stranger.page.goto(url)
    await stranger.page.locator("#password").fill("open sesame")
    await stranger.page.locator("#password").press("Enter")
    await expect(stranger.page.locator("figure img")).to_be_visible()
    await visit.page.goto(visit.product.url + "/settings")
    shares = visit.page.locator("#shares")
    await expect(shares).to_contain_text("for somebody else")
    await expect(shares).to_contain_text("with password")
    await shares.get_by_role("button", name="End").click()
    await expect(shares).to_contain_text("No links were given away.")
    await stranger.page.reload()
    await expect(stranger.page.locator("#notice")).to_contain_text("no longer valid")


async def test_the_bell_rings_by_itself_and_leads_to_what_is_ready(visit: Visit) -> None:
    badge = visit.page.locator(".badge")
    await expect(badge).to_have_count(0)
    await visit.made("the first", "the second")
    await expect(badge).to_have_text("2")
    await visit.page.locator(".bell-button").click()
    notices = visit.page.locator("#bell")
    await expect(notices.locator(".unread")).to_have_count(2)
    newest = notices.locator("li button").first
    await expect(newest.locator("strong")).to_have_text("the second")
    await expect(newest).to_contain_text("The image is ready.")
    await newest.click()
    await expect(visit.page.locator(".box-prompt")).to_have_text("the second")
    await visit.page.keyboard.press("Escape")
    await expect(badge).to_have_text("1")
    await visit.page.locator(".bell-button").click()
    await notices.get_by_role("button", name="Mark all as read").click()
    await expect(badge).to_have_count(0)
    await expect(notices.locator(".unread")).to_have_count(0)


async def test_a_channel_is_made_refused_tested_and_removed_by_the_keyboard_alone(
    new_visit: NewVisit, hooks: Receiver
) -> None:
    visit = await new_visit()
    visit.expect_complaint("422")
    await visit.arrive("/settings")
    section, dialog = visit.page.locator("#channels"), visit.page.get_by_role("dialog")
    press, write = visit.page.keyboard.press, visit.page.keyboard.type
    await expect(section).to_contain_text("No channels yet.")
    await visit.tab_to("New channel")
    await press("Enter")
    # The focus goes into the question, stays there, and comes back.
    await expect(dialog).to_be_visible()
    await press("Escape")
    await expect(dialog).to_have_count(0)
    assert await visit.focused() == "New channel"
    await press("Enter")
    await expect(dialog).to_be_visible()
    await visit.page.get_by_label("Address of the service").focus()
    await write("gopher://nowhere")
    await press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("must be one of these services")
    await press("Control+a")
    await write(f"ntfy://me:secret@127.0.0.1:{hooks.port}/sorami")
    await expect(dialog.get_by_role("alert")).to_have_count(0)
    await visit.tab_to("a job was cancelled")
    await press("Space")
    await visit.tab_to("Make the channel")
    await press("Enter")
    await expect(section).to_contain_text("ntfy://…/")
    for told in ("a job is done", "a job failed", "a job was cancelled"):
        await expect(section).to_contain_text(told)
    await expect(section).not_to_contain_text("secret@")
    assert await visit.focused() == "New channel"
    await visit.tab_to("Send a test")
    await press("Enter")
    await hooks.wait_at("/", 1)
    await expect(section.locator(".deliveries")).to_contain_text("delivered")
    await section.get_by_label("Actions of").focus()
    await press("Enter")
    await expect(visit.page.get_by_role("menuitem", name="Pause")).to_be_focused()
    await press("End")
    await expect(visit.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    await press("Enter")
    await expect(section).to_contain_text("No channels yet.")
    # What had the focus is gone; it goes on at the head of the section.
    await expect(section.get_by_role("heading")).to_be_focused()
