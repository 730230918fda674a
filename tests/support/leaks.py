"""A pytest plugin: nothing private leaves the handlers, in whatever test they run.

Every contact that the Connect emulation describes carries marked values in all that is the
customer's. Whatever is logged, raised or answered is searched for them, for the URL of the answer
to CloudFormation, and for signatures and credentials. A test during which one is found fails.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from connect_associations.testing.models import EmulatedConnectBackend
from connect_provider.handler import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CUSTOMER = "private-to-the-customer"
"""In every value of a contact that is the customer's."""

CREDENTIAL = "private-credential"
"""In every credential of a test that has credentials of its own."""

ANSWER_HOST = "responses.example"
"""Where the simulated CloudFormation wants its answers."""

SIGNATURE = "X-Amz-Signature"
"""In every pre-signed URL."""

_PRIVATE = re.compile(
    "|".join(
        map(re.escape, (CUSTOMER, CREDENTIAL, ANSWER_HOST, SIGNATURE, "AWS4-HMAC", "ResponseURL"))
    ),
    re.IGNORECASE,
)
_AS_IN_LAMBDA = ("botocore", "boto3", "urllib3")
_HANDLERS = ("on_event", "is_complete")


def find(text: str) -> list[str]:
    """Return the surroundings of everything private in *text*."""
    return [text[max(0, each.start() - 80) : each.end() + 40] for each in _PRIVATE.finditer(text)]


class Watch(logging.Handler):
    """Searches all that is logged, raised and answered.

    :ivar seen: how many texts were searched.
    :ivar leaks: what was found since the last time it was taken.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen = 0
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Search a record, with its traceback."""
        self.search(f"the log of {record.name}", self.format(record))

    def search(self, where: str, text: str) -> None:
        """Search a text.

        :param where: where it would be seen.
        """
        self.seen += 1
        self.leaks += [f"{where}: …{found}…" for found in find(text)]

    def take(self) -> list[str]:
        """Return what was found, and forget it."""
        found, self.leaks = self.leaks, []
        return found


WATCH = Watch()


def _watched(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def watched(*arguments: Any) -> Any:
        try:
            answer = handler(*arguments)
        except Exception as error:
            # Lambda logs it all, and CloudFormation shows the message.
            raised = "".join(traceback.format_exception(error))
            WATCH.search(f"an error of {handler.__name__}", raised)
            raise
        WATCH.search(f"the answer of {handler.__name__}", json.dumps(answer))
        return answer

    return watched


def _with_private_values(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @wraps(describe)
    def described(*arguments: Any, **named: Any) -> dict[str, Any]:
        answer = describe(*arguments, **named)
        contact = answer["Contact"]
        contact["Name"] = contact.get("Name") or f"name {CUSTOMER}"
        contact["Description"] = f"description {CUSTOMER}"
        contact["CustomerId"] = f"id {CUSTOMER}"
        contact["CustomerEndpoint"] = {"Type": "TELEPHONE_NUMBER", "Address": CUSTOMER}
        contact["SegmentAttributes"] = {CUSTOMER: {"ValueString": CUSTOMER}}
        contact["Tags"] = {CUSTOMER: CUSTOMER}
        return answer

    return described


def pytest_configure() -> None:
    """Watch from the start: clients and handlers live longer than a test."""
    logging.getLogger().addHandler(WATCH)
    for name in _AS_IN_LAMBDA:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _HANDLERS:
        setattr(Provider, name, _watched(getattr(Provider, name)))
    backend: Any = EmulatedConnectBackend
    backend.describe_contact = _with_private_values(backend.describe_contact)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test during which something private was seen."""
    del item  # pytest gives it by name
    # An entry point sets the level when it is imported, which may be at any time.
    logging.getLogger("connect_provider").setLevel(logging.DEBUG)
    try:
        return (yield)
    finally:
        leaks = WATCH.take()
        if leaks:
            pytest.fail("something private was seen:\n" + "\n".join(leaks), pytrace=False)
