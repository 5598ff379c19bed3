"""Settings of persistence."""

from pydantic import Field

from services.runtime.settings import RuntimeSettings


class PersistenceSettings(RuntimeSettings):
    """What persistence reads from the environment."""

    internal_port: int = Field(default=9008, ge=1, le=65_535, validation_alias="SORAMI_PERSISTENCE_PORT")
    decided_days: float = Field(
        default=90,
        ge=1,
        le=3_650,
        validation_alias="SORAMI_DECIDED_DAYS",
        description="Days that dead letters and parked reports stay readable after an operator decided on them.",
    )
    event_days: int = Field(default=7, ge=1, le=365, validation_alias="SORAMI_EVENT_DAYS")
