"""A person in front of the page: one browser context with a session of its own."""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from sorami.local import identity
from tests.node_tools import TOOLS, needed
from tests.support.product import Person, Product

MOST_TABS = 120
FOCUSED = """() => {
    const here = document.activeElement;
    const label = here.ariaLabel || here.labels?.[0]?.textContent || here.textContent || here.name || here.id;
    return here === document.body ? '' : label.trim().replace(/\\s+/g, ' ');
}"""


@dataclass
class Visit:
    """What a test does on the page and what it finds there; `complaints` is what the browser complained of."""

    product: Product
    person: Person
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @property
    def link(self) -> str:
        """A new sign-in link; it works once."""
        return f"{self.product.url}/signin?ticket={identity.ticket(self.product.stack.home, self.person.subject)}"

    @property
    def prompt(self) -> Locator:
        return self.page.locator("#prompt")

    @property
    def go(self) -> Locator:
        return self.page.locator("button.go")

    @property
    def cards(self) -> Locator:
        return self.page.locator(".card")

    async def listen(self) -> None:
        """Collect every error and warning of the console, what scripts threw, and what the policy refused."""

        def heard(kind: str, text: str) -> None:
            if kind in ("error", "warning"):
                self.complaints.append(text)

        self.page.on("console", lambda message: heard(message.type, message.text))
        self.page.on("pageerror", lambda error: heard("error", str(error)))
        await self.context.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
        )

    def expect_complaint(self, pattern: str) -> None:
        """Say that the browser will log this, for example an answer other than success."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]

    async def arrive(self, path: str = "/") -> None:
        """Sign in by a link and wait for what the address shows."""
        await self.page.goto(self.link)
        if path != "/":
            await self.page.goto(self.product.url + path)
        if path in ("/", "/gallery", "/generate-images", "/generate-videos"):
            await self.settled()

    async def settled(self) -> None:
        """Wait for the gallery's first answer."""
        await expect(self.page.locator(".gallery")).to_have_attribute("aria-busy", "false")

    async def choose(self, name: str, value: str) -> None:
        await self.page.locator(f"select[name={name}]").select_option(value)

    async def ask(self, prompt: str, kind: str = "image", model: str | None = None) -> None:
        """Write the prompt, choose, and send it by the keyboard."""
        await self.page.locator(f"input[name=kind][value={kind}]").check()
        if model:
            await self.choose("model", model)
        await self.prompt.fill(prompt)
        await self.prompt.press("Control+Enter")

    async def made(self, *prompts: str, **body: Any) -> list[str]:
        """Have images made one after the other, so that the order is known; the last is the newest."""
        ids = []
        for prompt in prompts:
            ids.append(await self.person.ask(prompt=prompt, **({"size": "256x256"} | body)))
            await self.person.ended(ids[-1])
        return ids

    async def do(self, card: str, action: str) -> None:
        """Choose an action of a card's menu."""
        await self.card(card).hover()
        await self.card(card).get_by_label("More actions").click()
        await self.page.get_by_role("menuitem", name=action).click()

    async def tab_to(self, name: str) -> None:
        """Press Tab until what is called so has the focus."""
        for _ in range(MOST_TABS):
            await self.page.keyboard.press("Tab")
            if await self.focused() == name:
                return
        raise AssertionError(f"Tab does not lead to {name!r}")

    async def focused(self) -> str:
        """What the focus is on, as it is called."""
        name: str = await self.page.evaluate(FOCUSED)
        return name

    async def axe(self, inside: str = "html") -> list[str]:
        """What axe finds in a part of the page that keeps people out, and where."""
        script = needed(TOOLS / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(script)
        found = await self.page.evaluate("(inside) => axe.run(inside, { resultTypes: ['violations'] })", inside)
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def job(self, prompt: str) -> Locator:
        return self.page.locator(".job").filter(has_text=prompt)

    def card(self, prompt: str) -> Locator:
        return self.cards.filter(has_text=prompt)

    def toast(self, text: str) -> Locator:
        return self.page.locator(".toast").filter(has_text=text)

    async def captions(self, *captions: str) -> None:
        """Wait until the gallery's cards carry these, in this order."""
        await expect(self.cards.locator("h3")).to_have_text(captions, use_inner_text=True)
