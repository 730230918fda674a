"""What can go wrong with the emulator."""


class EmulatorError(Exception):
    """The emulator cannot be started or used; the message says what to do.

    ===========================  ==================================================
    :class:`EmulatorError`       what every handler of these errors catches
    :class:`MissingToolError`    a program that the emulator needs is not there
    :class:`PortTakenError`      another program listens on a port that was asked for
    :class:`StartError`          a program ended, or did not answer in time
    ===========================  ==================================================
    """


class MissingToolError(EmulatorError):
    """A program that the emulator needs is not there."""


class PortTakenError(EmulatorError):
    """Another program listens on a port that was asked for."""


class StartError(EmulatorError):
    """A program ended, or did not answer in time."""
