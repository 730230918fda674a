"""What can go wrong with the embedded environment."""


class EmbeddedError(Exception):
    """The environment cannot be started or used; the message says what to do.

    ===========================  ==================================================
    :class:`EmbeddedError`       what every handler of these errors catches
    :class:`MissingToolError`    something that set-up installs is not there
    :class:`PortTakenError`      another program listens on a port that was asked for
    :class:`StartError`          a program ended, or did not answer in time
    ===========================  ==================================================
    """


class MissingToolError(EmbeddedError):
    """Something that set-up installs is not there."""


class PortTakenError(EmbeddedError):
    """Another program listens on a port that was asked for."""


class StartError(EmbeddedError):
    """A program ended, or did not answer in time."""
