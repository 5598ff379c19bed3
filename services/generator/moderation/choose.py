"""The policy that the settings name."""

from services.generator.moderation.http_policy import HttpPolicy
from services.generator.moderation.policy import Policy
from services.generator.moderation.words import WordList, read_words
from services.generator.settings import GeneratorSettings


def configured_policy(settings: GeneratorSettings) -> Policy | None:
    """Build the policy, None when there is none; raises ValueError for a word list that cannot be read."""
    if settings.moderation == "words" and settings.moderation_words is not None:
        return WordList(read_words(settings.moderation_words))
    if settings.moderation == "http" and settings.moderation_url is not None:
        token = settings.moderation_token.get_secret_value() if settings.moderation_token else None
        return HttpPolicy(settings.moderation_url, token, seconds=settings.moderation_seconds)
    return None
