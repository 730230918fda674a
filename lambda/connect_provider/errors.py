"""What can go wrong, worded for the person who reads it in the CloudFormation console.

::

    ProviderError                 every error of this package; its text is the failure reason
    ├── InvalidEventError         the event's properties are missing, malformed or contradictory
    ├── UnsupportedRuntimeError   the runtime's boto3 does not know an operation that is needed
    ├── AssociationFailedError    Connect refuses, and waiting would not help
    ├── ConvergenceTimeoutError   waiting did not help within the convergence time-out
    ├── LedgerError               the table of claims is missing, or cannot be used
    └── RequestOutlivedError      the deployment that the request belongs to is over
    StillWaiting                  not an error: what is missing may come with time
"""

MAX_MESSAGE_LENGTH = 1500
"""CloudFormation's whole response is at most 4,096 bytes; the framework adds log hints to this."""


def shorten(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Cut *text* to *limit* characters, showing that something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ProviderError(Exception):
    """An error whose text is meant for the person who deploys."""

    def __init__(self, message: str) -> None:
        super().__init__(shorten(message))


class InvalidEventError(ProviderError):
    """The properties of the custom resource cannot be used; no call was made."""


class UnsupportedRuntimeError(ProviderError):
    """The runtime's boto3 is too old for the operation."""


class AssociationFailedError(ProviderError):
    """Connect refused, and waiting would not help."""


class ConvergenceTimeoutError(ProviderError):
    """The problem might have gone away, but did not do so in time."""


class LedgerError(ProviderError):
    """The table of claims cannot be used; nothing was written to Connect."""


class RequestOutlivedError(ProviderError):
    """The deployment that the request belongs to is over; what it had changed is undone."""


class StillWaiting(Exception):  # noqa: N818 - a signal between two polls, not an error
    """The next poll may get further; the text says what is being waited for.

    :ivar shared: whether everybody else has to wait for the same reason.
    """

    def __init__(self, message: str, *, shared: bool = True) -> None:
        super().__init__(message)
        self.shared = shared
