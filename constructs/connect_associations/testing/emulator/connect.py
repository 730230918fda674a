"""The emulated Amazon Connect, served from a thread of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from connect_associations.testing import seed as seeded
from connect_associations.testing.emulation import ConnectEmulation
from connect_associations.testing.server import ConnectServer

if TYPE_CHECKING:
    from types import TracebackType

    from connect_associations.testing.throttle import ThrottleSettings

_STOP_SECONDS = 10.0


class EmulatedConnect:
    """A small contact centre that is the same every time.

    ``connect_associations.testing.seed`` holds its IDs.

    :param account: the account that it belongs to.
    :param port: where it listens on loopback. Default: any free port
    :param throttle: its quotas. Default: none
    """

    def __init__(
        self, *, account: str, port: int | None = None, throttle: ThrottleSettings | None = None
    ) -> None:
        emulation = ConnectEmulation(account_id=account, throttle=throttle, seed=seeded.seed)
        self._server = ConnectServer(emulation, port=port or 0)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="connect", daemon=True
        )

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join(_STOP_SECONDS)
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    @property
    def emulation(self) -> ConnectEmulation:
        """What it holds, every call that it got, and how it behaves."""
        return self._server.emulation

    def reset(self) -> ConnectEmulation:
        """Go back to the small contact centre of the start, and return it."""
        self.emulation.reset()
        return self.emulation

    def arn(self, path: str, *, region: str = seeded.HOME_REGION) -> str:
        """Return the ARN of something here, by what comes after the account."""
        return f"arn:aws:connect:{region}:{self.emulation.account_id}:{path}"
