"""What can go wrong, one class per remedy. Each is also the built-in exception that Python users
expect, so that `except ValueError` and `except FileNotFoundError` work as they do elsewhere."""

__all__ = [
    "BudgetError",
    "ColumnError",
    "DataError",
    "FileError",
    "HypothesaesError",
    "InternalError",
    "KeyRefusedError",
    "MissingAnswersError",
    "MissingFileError",
    "OptionError",
    "PendingError",
    "RunError",
    "ServerError",
]


class HypothesaesError(Exception):
    """Any error of this package."""


class OptionError(HypothesaesError, ValueError):
    """An argument or option is out of range, or contradicts another: change it."""


class DataError(HypothesaesError, ValueError):
    """The data are damaged, or cannot answer the question: mend them at the named place."""


class ColumnError(DataError, KeyError):
    """There is no such column; the message has the nearest names."""

    # KeyError shows the repr of its argument.
    __str__ = Exception.__str__


class FileError(HypothesaesError, OSError):
    """A file or folder could not be read or written."""


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file or folder."""


class RunError(HypothesaesError, RuntimeError):
    """A run directory is in use, damaged, or lacks an earlier stage."""


class ServerError(HypothesaesError, ConnectionError):
    """A language model cannot be asked on. Every answer that arrived is kept."""


class KeyRefusedError(ServerError, PermissionError):
    """There is no key, or the server refuses it."""


class MissingAnswersError(ServerError):
    """Only kept answers may be used, and some are not there."""


class BudgetError(HypothesaesError, RuntimeError):
    """The ceiling, or the account's money, is reached. Every answer that arrived is kept."""


class PendingError(HypothesaesError, RuntimeError):
    """Batch jobs hold the questions: the same call fetches the answers later."""


class InternalError(HypothesaesError, RuntimeError):
    """A fault of this package: please report it."""
