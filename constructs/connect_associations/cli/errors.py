"""What ends a command early: one line for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_provider.failures import CallError, Failure

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

_SIGN_IN = "sign in again, or choose another profile with --profile"
_CHECK_CREDENTIALS = "check the credentials, or choose another profile with --profile"
_ADVICE = {
    "NoCredentialsError": "sign in, or choose a profile with --profile",
    "PartialCredentialsError": _CHECK_CREDENTIALS,
    "InvalidClientTokenId": _CHECK_CREDENTIALS,
    "UnrecognizedClientException": _CHECK_CREDENTIALS,
    "SignatureDoesNotMatch": _CHECK_CREDENTIALS,
    "InvalidSignatureException": _CHECK_CREDENTIALS,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "SSOTokenLoadError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
    "ProfileNotFound": "choose one of `aws configure list-profiles`",
    "NoRegionError": "choose a Region with --region",
    "InvalidRegionError": "choose a Region such as us-east-1 with --region",
    "EndpointConnectionError": "check the Region and the network",
    "ConnectTimeoutError": "check the Region and the network",
}
_SERVICES = {
    "DescribeStacks": "cloudformation",
    "GetTemplate": "cloudformation",
    "ListExports": "cloudformation",
    "ListStackResources": "cloudformation",
    "GetFunctionConfiguration": "lambda",
    "Scan": "dynamodb",
    "Query": "dynamodb",
    "PutItem": "dynamodb",
    "DeleteItem": "dynamodb",
}


class CommandError(Exception):
    """A command cannot go on; the text says why and what to do."""


class Interrupted(Exception):  # noqa: N818 - somebody's wish, not an error
    """Ctrl-C; the text says how far the command got."""


def explain(error: CallError | BotoCoreError) -> CommandError:
    """Return a failed call, or what kept boto3 from making one, as one line with advice."""
    code = error.code if isinstance(error, CallError) else type(error).__name__
    advice = _ADVICE.get(code)
    text = " ".join(str(error).split())
    if advice is None and isinstance(error, CallError) and error.failure is Failure.ACCESS_DENIED:
        # Then it is the key of the table that may not be used.
        by_key = "kms:" in text.lower()
        advice = f"allow {'that on its key' if by_key else permission(error.operation)}"
    return CommandError(f"{text}; {advice}" if advice else text)


def permission(operation: str) -> str:
    """Return the IAM action that allows *operation*."""
    return f"{_SERVICES.get(operation, 'connect')}:{operation}"
