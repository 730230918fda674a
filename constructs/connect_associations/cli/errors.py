"""What ends a command: one line for a person, and exit code 2."""

from __future__ import annotations

from connect_provider.calls import CallError, Failure

_ADVICE = {
    "NoCredentialsError": "sign in, or choose a profile with --profile",
    "ProfileNotFound": "choose one of `aws configure list-profiles`",
    "NoRegionError": "choose a Region with --region",
    "ExpiredToken": "sign in again",
    "ExpiredTokenException": "sign in again",
    "EndpointConnectionError": "check the Region and the network",
}


class CommandError(Exception):
    """A command cannot go on; the text says why and what to do."""


def explain(error: CallError) -> CommandError:
    """Return a failed call as one line."""
    advice = _ADVICE.get(error.code)
    if advice is None and error.failure is Failure.ACCESS_DENIED:
        advice = "docs/guides/command-line.md lists the permissions"
    text = " ".join(str(error).split())
    return CommandError(f"{text}; {advice}" if advice else text)
