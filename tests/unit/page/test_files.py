"""The page's own files: they keep to the policy, name no foreign address, and agree with the contracts."""

import json
import re
from pathlib import Path

import pytest

import services.gateway
from contracts.failures import FailureCode
from contracts.kinds import DEFAULT_QUALITY, KINDS, QUALITIES, STYLES
from contracts.models import DEFAULT_MODEL, MODELS

STATIC = Path(services.gateway.__path__[0]) / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
SHEETS = sorted((STATIC / "css").glob("*.css"))
PAGES = sorted(STATIC.glob("*.html"))
ENGLISH = (STATIC / "js" / "words" / "en.js").read_text(encoding="utf-8")
WORDS = set(re.findall(r'^  "?([\w.-]+)"?:', ENGLISH, re.MULTILINE))
THEMES = [("dark", 0), ("light", 1)]


def short(path: Path) -> str:
    return str(path.relative_to(STATIC))


@pytest.mark.parametrize("script", SCRIPTS, ids=short)
def test_a_module_is_small_and_imports_files_that_exist(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 250
    assert text.startswith("/**")
    for target in re.findall(r'^import (?:[^";]* from )?"([^"]+)";', text, re.MULTILINE):
        assert target.startswith("."), f"{target} cannot be found by a browser"
        assert (script.parent / target).is_file(), target


@pytest.mark.parametrize("file", [*SCRIPTS, *SHEETS, *PAGES], ids=short)
def test_a_file_needs_no_exception_from_the_policy_and_no_other_host(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(", text)
    assert not re.search(r"""["'(]https?://[a-z]""", text.replace("http://www.w3.org", ""))
    if file.suffix == ".html":
        assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", text)


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_a_page_links_files_that_exist(page: Path) -> None:
    for target in re.findall(r'(?:href|src)="/static/([^"]+)"', page.read_text(encoding="utf-8")):
        assert (STATIC / target).is_file(), target


def test_every_word_that_is_said_stands_in_the_dictionary() -> None:
    said = {key for script in SCRIPTS for key in re.findall(r'\bsay\(\s*"([^"]+)"', script.read_text(encoding="utf-8"))}
    assert said - WORDS == set()
    assert len(said) > 60


def test_every_failure_and_every_choice_has_words() -> None:
    wanted = {f"failure.{code.value}" for code in FailureCode}
    wanted |= {f"style.{style}" for style in STYLES} | {f"quality.{quality}" for quality in QUALITIES}
    assert wanted - WORDS == set()


def test_what_is_offered_is_what_the_contracts_allow() -> None:
    text = (STATIC / "js" / "kinds.js").read_text(encoding="utf-8")
    found = re.search(r"export const CHOICES = (\{.*?\n\});", text, re.DOTALL)
    assert found is not None
    offered = json.loads(re.sub(r",(\s*[}\]])", r"\1", re.sub(r"(\w+):", r'"\1":', found[1])))
    seconds = next(number for number in KINDS["video"].numbers if number.name == "duration_seconds")
    assert offered == {
        "kinds": {
            name: {
                "plural": kind.plural,
                "countField": kind.count_field,
                "maxCount": kind.max_count,
                "sizes": list(kind.sizes),
                "defaultSize": kind.default_size,
                "models": [model.id for model in MODELS if name in model.kinds],
            }
            for name, kind in KINDS.items()
        },
        "styles": list(STYLES),
        "qualities": list(QUALITIES),
        "defaultQuality": DEFAULT_QUALITY,
        "defaultModel": DEFAULT_MODEL["image"],
        "seconds": {"least": seconds.least, "most": seconds.most, "default": seconds.default},
    }
    assert len(set(DEFAULT_MODEL.values())) == 1


def colours(theme: int) -> dict[str, tuple[float, float, float]]:
    block = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8").split(":root {")[theme + 1]
    tokens = re.findall(r"--([\w-]+): #([0-9a-f]{6});", block)
    return {name: tuple(int(value[at : at + 2], 16) / 255 for at in (0, 2, 4)) for name, value in tokens}  # type: ignore[misc]


def luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("theme", "index"), THEMES)
def test_text_stands_out_from_every_ground_it_lies_on(theme: str, index: int) -> None:
    found = colours(index)
    pairs = [
        (text, ground)
        for text in ("ink", "muted", "accent", "warm", "good", "bad")
        for ground in ("ground", "panel", "raised", "crest")
    ]
    pairs += [("on-accent", "accent"), ("on-accent", "accent-end"), ("ground", "ink")]
    for text, ground in pairs:
        light, dark = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
        contrast = (light + 0.05) / (dark + 0.05)
        assert contrast >= 4.5, f"{theme}: {text} on {ground} has {contrast:.2f}"
