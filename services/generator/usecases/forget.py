"""What the generator keeps for a while only."""

from services.generator.settings import GeneratorSettings
from services.generator.store.tasks import DUE_TASKS, EMPTY_TASKS
from services.runtime.retention import Rule, days


def rules(settings: GeneratorSettings) -> list[Rule]:
    """Return the rules of these settings.

    A task's row stays with its generation: it says that the job was done, and that objects are to be removed once.
    """
    kept = f"{days(settings.task_days)} after the job's end; the row goes with its generation"
    return [
        Rule("request and verdict of tasks", kept, "SORAMI_TASK_DAYS", DUE_TASKS, EMPTY_TASKS, (settings.task_days,)),
        Rule("attempts", "for ever: the proof of paid work", None),
    ]
