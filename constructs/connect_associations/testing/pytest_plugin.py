"""The pytest fixture ``connect_emulation``: Amazon Connect on loopback for one test.

The wheel registers it as the entry point ``connect_associations``, so pytest finds it automatically
and imports this module in every run of every project that has the library. So what the extra
``testing`` installs is imported only when a test asks for the fixture.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.testing import ConnectEmulation

_LOOPBACK = "127.0.0.1"
_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""What would make boto3 bypass the emulation, or use a real account."""


@pytest.fixture
def connect_emulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectEmulation]:
    """Serve a small contact centre over HTTP, and point boto3 to it during the test.

    ``connect_associations.testing.seed`` holds its IDs. Sets ``AWS_ENDPOINT_URL_CONNECT``, dummy
    credentials and the instance's home Region in the environment, which processes that the test
    starts inherit. Clients that were made before the test are not changed.

    :raises pytest.UsageError: the extra ``testing`` is not installed.
    """
    missing = [name for name in ("moto", "boto3") if not importlib.util.find_spec(name)]
    if missing:
        raise pytest.UsageError(
            f"connect_emulation needs {' and '.join(missing)}: "
            "run pip install 'cdk-connect-associations[testing]'"
        )
    import boto3  # noqa: PLC0415 - see the module's docstring

    from connect_associations.testing import ConnectEmulation, serving  # noqa: PLC0415 - as above
    from connect_associations.testing.seed import HOME_REGION, seed  # noqa: PLC0415 - as above

    with serving(emulation := ConnectEmulation(seed=seed)) as url:
        for name in _UNSET:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_REGION", HOME_REGION)
        monkeypatch.setenv("AWS_DEFAULT_REGION", HOME_REGION)
        # A proxy cannot reach this machine's loopback interface.
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, _LOOPBACK)
        # The session behind boto3.client() remembers the credentials that it found first.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        yield emulation
