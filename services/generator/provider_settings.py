"""Settings of remote providers, as the generator reads them."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.provider_settings import ProviderFields


class ProviderSettings(BaseSettings, ProviderFields):
    """Keys, addresses and model ids of remote providers."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)
