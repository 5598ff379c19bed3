"""An image of one's own to start from: chosen, dropped or pasted, kept over a reload, and made into another."""

import re

from playwright.async_api import expect

from tests.e2e.page.visit import Visit
from tests.support.pictures import png

GIVE = """async ([type, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], 'mine.png', { type: 'image/png' }));
    const form = document.querySelector('.composer');
    form.dispatchEvent(type === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


async def test_a_file_is_chosen_dropped_or_pasted_and_a_picture_made_of_it(visit: Visit) -> None:
    mine, shown = png(), visit.page.locator(".input-image")
    await visit.page.get_by_text("Start from an image").click()
    chooser = shown.locator("input[type=file]")
    await chooser.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    await expect(visit.page.locator("#fault-input_image_url")).to_have_text("A PNG, JPEG or WebP picture, please.")
    await chooser.set_input_files({"name": "holiday.png", "mimeType": "image/png", "buffer": mine})
    await expect(shown).to_contain_text("holiday.png")
    await expect(shown.locator("img")).to_be_visible()
    await visit.page.reload()
    await expect(shown).to_contain_text("holiday.png")
    for way in ("drop", "paste"):
        await shown.get_by_label("Remove").click()
        await expect(shown).to_have_count(0)
        await visit.page.evaluate(GIVE, [way, list(mine)])
        await expect(shown.locator("img")).to_be_visible()
        await expect(shown).to_contain_text("mine.png")
    await visit.choose("size", "256x256")
    await visit.ask("The same in ink")
    await expect(visit.card("The same in ink")).to_be_visible()


async def test_a_picture_of_the_gallery_can_be_the_start_of_another(visit: Visit) -> None:
    await visit.ask("A calm sea", model="instant")
    await visit.do("A calm sea", "Start from this image")
    await expect(visit.page.get_by_label("Address of the image")).to_have_value(re.compile("/media/"))
    await visit.choose("size", "256x256")
    await visit.choose("model", "procedural-1")
    await visit.ask("The same sea in ink")
    await expect(visit.card("The same sea in ink")).to_be_visible()
