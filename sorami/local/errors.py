"""What stops the embedded stack, each said in one line with what mends it."""

EX_UNAVAILABLE = 69
EX_TEMPFAIL = 75
EX_CONFIG = 78


class StackError(Exception):
    """A reason the stack cannot go on; `code` is the exit code of the command."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class SettingError(StackError):
    """A setting (or the machine) is wrong and a restart alone will not mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=EX_CONFIG)


class NotRunning(StackError):
    """A command needs the running stack of this data folder and there is none."""

    def __init__(self, message: str = "the stack is not running here; start it with: make up") -> None:
        super().__init__(message, code=EX_UNAVAILABLE)


def first_of(group: BaseExceptionGroup[StackError]) -> StackError:
    """Return the first error of a group of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, StackError):
        raise error
    return error
