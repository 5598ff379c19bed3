"""Every setting a service reads stands in .env.example, and nothing else does."""

import re
from pathlib import Path

from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.notifier.settings import NotifierSettings
from services.persistence.settings import PersistenceSettings
from services.runtime.setting_names import NAMES
from sorami.documents import OF_THE_LAUNCHER, setting_names

ROOT = Path(__file__).parents[2]
LISTED = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_setting_is_listed_with_its_meaning() -> None:
    read: set[str] = set()
    for settings in (GatewaySettings, GeneratorSettings, PersistenceSettings, NotifierSettings):
        aliases = [field.validation_alias for field in settings.model_fields.values()]
        read |= {alias for alias in aliases if isinstance(alias, str)}
    read -= {"AWS_SESSION_TOKEN"}
    assert read == LISTED - OF_THE_LAUNCHER


def test_settings_of_the_launcher_are_read_somewhere() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sorami").rglob("*.py"))
    sources += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "services" / "runtime").glob("*.py"))
    for name in OF_THE_LAUNCHER:
        assert (
            name in sources
            or re.sub("_(GATEWAY|GENERATOR|PERSISTENCE|NOTIFIER)_", "_{service.upper()}_", name) in sources
        )


def test_the_names_that_misspelt_ones_are_compared_with_are_those_of_the_settings() -> None:
    assert NAMES.read_text(encoding="utf-8") == setting_names(), "run `make contracts` and commit what it wrote"
    assert set(setting_names().split()) == {name for name in LISTED if name.startswith("SORAMI_")}
