"""The page's own files: they keep to the policy, name no foreign address, and agree with the contracts."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

import services.gateway
from contracts.failures import Charged, FailureCode, Filtered
from contracts.kinds import DEFAULT_QUALITY, KINDS, QUALITIES, STYLES
from contracts.models import MODELS
from contracts.problems import find_problem
from contracts.requests import MAX_PROMPT, MAX_URL
from contracts.scopes import Scope
from services.gateway.api.uploads import MOST_BYTES, TYPES

STATIC = Path(services.gateway.__path__[0]) / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
SHEETS = sorted((STATIC / "css").glob("*.css"))
PAGES = sorted(STATIC.glob("*.html"))
CATALOGUES = {language: STATIC / "js" / "base" / "words" / f"{language}.js" for language in ("en", "fr")}
# A key, and how many values its words are made with; a plain text takes none.
_ENTRY = re.compile(r'^  "?([\w.:-]+)"?:\s*(\([^)]*\) =>)?', re.MULTILINE)
WORDS = {
    language: {key: values.count("@type") for key, values in _ENTRY.findall(file.read_text(encoding="utf-8"))}
    for language, file in CATALOGUES.items()
}
ENGLISH = set(WORDS["en"])
THEMES = [("light", 0), ("dark", 1)]


def short(path: Path) -> str:
    return str(path.relative_to(STATIC))


@pytest.mark.parametrize("script", SCRIPTS, ids=short)
def test_a_module_is_small_and_imports_files_that_exist(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 250 or script in CATALOGUES.values()
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
    assert said - ENGLISH == set()
    assert len(said) > 200


def test_both_catalogues_have_the_same_words_made_of_the_same_values() -> None:
    assert WORDS["en"] == WORDS["fr"]


def test_every_refusal_that_has_words_is_one_the_api_knows() -> None:
    codes = {key.partition(".")[2] for key in ENGLISH if key.startswith("problem.")} - {"other", "no_answer"}
    # What went wrong at an identity provider is said by the sign-in page alone.
    codes = {code for code in codes if not code.startswith("signin_")}
    assert {code for code in codes if find_problem(code) is None} == set()


def test_every_failure_and_every_choice_has_words() -> None:
    wanted = {f"failure.{code.value}" for code in FailureCode}
    parts = {name: get_args(field.annotation) for name, field in Filtered.model_fields.items()}
    wanted |= {f"filtered.{stage}.{by}" for stage in parts["stage"] for by in parts["by"]}
    wanted |= {f"charged.{said}" for said in get_args(Charged)}
    wanted |= {f"style.{style}" for style in STYLES} | {f"quality.{quality}" for quality in QUALITIES}
    wanted |= {f"scope.{scope.value}" for scope in Scope} | {f"model.{model.id}" for model in MODELS}
    assert wanted - ENGLISH == set()


def test_what_may_be_asked_whatever_the_model_is_what_the_contracts_allow() -> None:
    text = (STATIC / "js" / "base" / "kinds.js").read_text(encoding="utf-8")
    found = re.search(r"export const CHOICES = (\{.*?\n\});", text, re.DOTALL)
    assert found is not None
    offered = json.loads(re.sub(r",(\s*[}\]])", r"\1", re.sub(r"(\w+):", r'"\1":', found[1])))
    seconds = next(number for number in KINDS["video"].numbers if number.name == "duration_seconds")
    assert offered == {
        "kinds": {
            name: {
                "plural": kind.plural,
                "countField": kind.count_field,
                "defaultSize": kind.default_size,
                "defaultFormat": kind.default_format,
            }
            for name, kind in KINDS.items()
        },
        "styles": list(STYLES),
        "qualities": list(QUALITIES),
        "defaultQuality": DEFAULT_QUALITY,
        "defaultSeconds": seconds.default,
        "promptMost": MAX_PROMPT,
        "addressMost": MAX_URL,
        "uploadMost": MOST_BYTES,
        "uploadTypes": list(TYPES),
    }


def colours(theme: int) -> dict[str, tuple[float, float, float]]:
    sheet = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    both = re.findall(r"--([\w-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\);", sheet)
    return {name: tuple(int(pair[theme][at : at + 2], 16) / 255 for at in (0, 2, 4)) for name, *pair in both}  # type: ignore[misc]


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
