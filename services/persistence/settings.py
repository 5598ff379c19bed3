"""Settings of persistence."""

from pydantic import Field

from services.runtime.settings import RuntimeSettings


class PersistenceSettings(RuntimeSettings):
    """What persistence reads from the environment."""

    internal_port: int = Field(default=9008, ge=1, le=65_535, validation_alias="SORAMI_PERSISTENCE_PORT")
    event_days: int = Field(default=7, ge=1, le=365, validation_alias="SORAMI_EVENT_DAYS")
