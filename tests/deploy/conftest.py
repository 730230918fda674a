from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from embedded.environment import EmbeddedEnvironment

from deployment import Deployment, Hurried
from wheels import foreign_python, once, wheel_of_checkout

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from connect_associations.testing import ConnectEmulation

_ENVIRONMENT = pytest.StashKey[EmbeddedEnvironment]()


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Iterator[EmbeddedEnvironment]:
    """AWS and Connect on this machine: one for each worker, as each serves one test at a time."""
    with Hurried() as environment:
        request.config.stash[_ENVIRONMENT] = environment
        yield environment


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment outside of the clone, with the wheel."""
    wheel = wheel_of_checkout(tmp_path_factory)
    return once(
        tmp_path_factory, "foreign", lambda folder: foreign_python(folder / "venv", wheel=wheel)
    )


@pytest.fixture
def connect(environment: EmbeddedEnvironment) -> ConnectEmulation:
    """The small contact centre of ``connect_associations.testing.seed``, untouched."""
    return environment.connect.reset()


@pytest.fixture
def stack(
    environment: EmbeddedEnvironment,
    connect: ConnectEmulation,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Deployment:
    """A stack of the test's own, on the untouched contact centre; nothing is deployed yet."""
    del connect  # only has to be reset
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name).strip("-")[:100]
    return Deployment(environment=environment, folder=tmp_path, name=name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    environment = item.config.stash.get(_ENVIRONMENT, None)
    if environment and report.failed:
        report.sections.append(("the Lambda functions' logs", environment.lambda_log()))
        report.sections.append(("the AWS emulator's log", environment.aws_log()))
        calls = environment.connect.emulation.calls
        report.sections.append(("calls of Connect", "\n".join(map(str, calls))))
    return report
