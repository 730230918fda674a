"""A state machine that deploys random stacks through random trouble and checks every promise."""

from __future__ import annotations

import dataclasses
import random
import sys
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lifecycle import cast
from lifecycle.declared import pairs_of
from lifecycle.deployer import Deployer, Stacks
from lifecycle.emulated_connect import EmulatedConnect, behaviours
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.next_stack import next_declared, respelled
from lifecycle.promises import Promise
from lifecycle.stack_parts import (
    MAIN,
    FailedCreate,
    InFlight,
    OldProperties,
    Rollback,
    StackSettings,
)
from lifecycle.statistics import Statistics
from lifecycle.trouble import Trouble, troubles
from lifecycle.under_test import association_provider
from lifecycle.world import HandlersFactory, World

_NAMES = (MAIN, "Other")
_framework_settings = st.builds(
    FrameworkSettings,
    after_kill=st.sampled_from(AfterKill),
    always_cold=st.booleans(),
)
_stack_settings = st.builds(
    StackSettings,
    rollback=st.sampled_from(Rollback),
    in_flight=st.sampled_from(InFlight),
    lists_deleted=st.booleans(),
    updated_at_moves=st.booleans(),
    reuses_request_ids=st.booleans(),
    retry_shows=st.sampled_from(OldProperties),
    failed_create=st.sampled_from(FailedCreate),
)
_names = st.sampled_from((MAIN, MAIN, "Other"))


class LifecycleMachine(RuleBasedStateMachine):
    """One world, two stacks with one ledger, and what happens in it.

    :cvar handlers: starts a container with the handlers under test.
    :cvar statistics: counts over all examples of a run.
    :cvar promises: the promises to check.
    """

    handlers: ClassVar[HandlersFactory] = staticmethod(association_provider)
    statistics: ClassVar[Statistics] = Statistics()
    promises: ClassVar[frozenset[Promise]] = frozenset(Promise)

    @initialize(
        behaviour=behaviours(),
        stack=_stack_settings,
        framework=_framework_settings,
        page=st.sampled_from((None, 2)),
        members=st.sets(
            st.tuples(st.sampled_from(cast.GROUPS), st.sampled_from(cast.USERS)), max_size=5
        ),
    )
    def a_world(
        self,
        behaviour: Any,
        stack: StackSettings,
        framework: FrameworkSettings,
        page: int | None,
        members: set[tuple[cast.Thing, cast.Thing]],
    ) -> None:
        """Start with some members in the groups, and one variant of every behaviour."""
        random.seed(0)
        self.world = World(
            handlers=type(self).handlers,
            connect=lambda clock: EmulatedConnect(clock, behaviour=behaviour),
            stack=stack,
            framework=framework,
        )
        self.world.ledger.page = page
        self.deployer = Deployer(
            self.world, names=_NAMES, statistics=self.statistics, promises=self.promises
        )
        for group, user in sorted(members, key=lambda pair: (pair[0].name, pair[1].name)):
            self._join(group, user)
        self.statistics.count("examples", "examples")
        self._count_variants(behaviour, stack, framework)

    @rule(data=st.data(), name=_names)
    def deploy(self, data: st.DataObject, name: str) -> None:
        """Deploy the next version of a stack while all goes well."""
        self.deploy_in_trouble(data, name, Trouble())

    @rule(data=st.data(), name=_names, trouble=troubles)
    def deploy_in_trouble(self, data: st.DataObject, name: str, trouble: Trouble) -> None:
        """Deploy the next version of a stack."""
        new = self._next(data, name)
        self._step("deploy")
        self.deployer.deploy(name, new, trouble)

    @rule(data=st.data(), name=_names, trouble=troubles)
    def deploy_without_rollback(self, data: st.DataObject, name: str, trouble: Trouble) -> None:
        """Deploy with ``--no-rollback``; what fails is retried, rolled back or deleted."""
        new = self._next(data, name)
        self._step("deploy without rollback")
        if self.deployer.deploy_without_rollback(name, new, trouble):
            return
        way = data.draw(st.sampled_from(("retry", "other", "roll back", "delete")), label="then")
        self.statistics.count("after --no-rollback", way)
        if way in ("retry", "other"):
            second = new if way == "retry" else self._next(data, name, tried=new)
            self.deployer.retry(name, second, data.draw(troubles, label="trouble"))
        elif way == "roll back":
            self.deployer.roll_back(name)
        else:
            self.deployer.delete_failed(name)

    @rule(data=st.data(), trouble=troubles)
    def deploy_both_together(self, data: st.DataObject, trouble: Trouble) -> None:
        """Deploy both stacks at the same time."""
        first, second = _NAMES
        news = {first: self._next(data, first)}
        news[second] = self._next(data, second, others=news[first])
        if not self.deployer.can_go_together(news):
            return
        self._step("deploy both together")
        self.deployer.deploy_together(news, trouble)

    @precondition(lambda self: any(self.deployer.declared.values()))
    @rule(data=st.data(), name=_names)
    def deploy_in_other_words(self, data: st.DataObject, name: str) -> None:
        """Deploy the same stack with other spellings: nothing may be written."""
        declared = self.deployer.declared[name]
        if not declared:
            return
        self._step("deploy in other words")
        self.deployer.deploy_in_other_words(name, data.draw(respelled(declared), label="respelled"))

    @rule(name=_names, trouble=troubles)
    def delete(self, name: str, trouble: Trouble) -> None:
        """Delete a stack; after a failure once more."""
        if self.deployer.exists(name):
            self._step("delete")
            self.deployer.delete(name, trouble)

    @rule(group=st.sampled_from(cast.GROUPS), user=st.sampled_from(cast.USERS), joins=st.booleans())
    def somebody_interferes(self, group: cast.Thing, user: cast.Thing, joins: bool) -> None:  # noqa: FBT001 - drawn
        """Change a membership behind CloudFormation's back."""
        self._step("somebody interferes")
        if joins:
            self._join(group, user)
            return
        self.world.history.note("somebody", f"removes {user} from {group}")
        self.world.connect.leave(group, user)
        pair = (group.id, user.id)
        if any(pair in pairs_of(one) for one in self.deployer.declared.values()):
            self.deployer.drifted.add(pair)

    @rule(contact=st.sampled_from(cast.CONTACTS), user=st.sampled_from(cast.USERS))
    def somebody_takes_a_contact(self, contact: cast.Thing, user: cast.Thing) -> None:
        """Let a contact go to a user behind CloudFormation's back."""
        if self.world.connect.contact(contact).ended:
            return
        self._step("somebody takes a contact")
        self.world.history.note("somebody", f"{user} takes {contact}")
        self.world.connect.serve(contact, user)

    @precondition(lambda self: self.world.events)
    @rule(number=st.integers(0, 30))
    def an_old_event_comes_again(self, number: int) -> None:
        """Deliver an event again that was answered long ago."""
        events = self.world.events
        self._step("an old event comes again")
        self.deployer.deliver_again(events[number % len(events)])

    def teardown(self) -> None:
        """Whatever happened, the stacks can be deleted, and others' members stay."""
        if not hasattr(self, "deployer") or self.deployer.broken:
            return
        if sys.exc_info()[0] is not None:
            # Hypothesis ran out of data in the middle of a step: what is declared is not known.
            return
        for name in _NAMES:
            if self.deployer.exists(name):
                self.deployer.delete(name, Trouble())

    def _next(
        self,
        data: st.DataObject,
        name: str,
        *,
        others: Stacks | None = None,
        tried: Stacks | None = None,
    ) -> Stacks:
        """Draw what a stack declares next, be it after *tried* has failed."""
        declared = self.deployer.declared[name]
        return data.draw(
            next_declared(
                declared if tried is None else tried,
                others=self.deployer.others(name) if others is None else others,
                one_group=self.deployer.one_group,
                existing=declared | (tried or {}),
            ),
            label=f"{name} declares",
        )

    def _join(self, group: cast.Thing, user: cast.Thing) -> None:
        taken = {user_id for _, user_id in self.world.connect.memberships()}
        if self.deployer.one_group and user.id in taken:
            return
        self.world.history.note("somebody", f"adds {user} to {group}")
        self.world.connect.join(group, user)

    def _step(self, name: str) -> None:
        self.statistics.count("steps", name)

    def _count_variants(
        self, behaviour: Any, stack: StackSettings, framework: FrameworkSettings
    ) -> None:
        for settings in (stack, framework):
            for field in dataclasses.fields(settings):
                value = getattr(settings, field.name)
                self.statistics.count("variants", f"{field.name}={value}")
        for switch, value in behaviour.as_dict().items():
            self.statistics.count("variants", f"{switch}={value}")
