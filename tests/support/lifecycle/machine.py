"""A state machine that deploys random stacks through random trouble and checks every promise."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lifecycle import cast, naive
from lifecycle.cloudformation import FailedTemplate, InFlight, Rollback, StackSettings
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.declared import ContactUser, GroupUsers, pairs_of, template_of
from lifecycle.emulated_connect import EmulatedConnect, behaviours
from lifecycle.expectations import Excuses, Operation, Promise
from lifecycle.faults import FaultPlan
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.history import BrokenRule
from lifecycle.next_stack import next_declared, respelled
from lifecycle.statistics import Statistics
from lifecycle.trouble import Trouble, troubles
from lifecycle.under_test import association_provider
from lifecycle.world import HandlersFactory, World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifecycle.connect_world import ConnectState
    from lifecycle.declared import Declared, Pair
    from lifecycle.framework import Event

_SIBLING = "Sibling"
_framework_settings = st.builds(
    FrameworkSettings,
    after_kill=st.sampled_from(AfterKill),
    always_cold=st.booleans(),
)
_stack_settings = st.builds(
    StackSettings,
    rollback=st.sampled_from(Rollback),
    in_flight=st.sampled_from(InFlight),
    failed_template=st.sampled_from(FailedTemplate),
    lists_deleted=st.booleans(),
)


class LifecycleMachine(RuleBasedStateMachine):
    """One world and what happens in it.

    :cvar handlers: starts a container with the handlers under test.
    :cvar statistics: counts over all examples of a run.
    :cvar promises: the promises to check.
    :cvar stale_events: whether events of earlier operations are delivered again.
    """

    handlers: ClassVar[HandlersFactory] = staticmethod(association_provider)
    statistics: ClassVar[Statistics] = Statistics()
    promises: ClassVar[frozenset[Promise]] = frozenset(Promise)
    stale_events: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.declared: dict[str, Declared] = {}
        self.drifted: set[Pair] = set()
        self.version = 0
        self.broken = False

    @initialize(
        behaviour=behaviours(),
        stack=_stack_settings,
        framework=_framework_settings,
        members=st.sets(
            st.tuples(st.sampled_from(cast.GROUPS), st.sampled_from(cast.USERS)), max_size=5
        ),
    )
    def a_world(
        self,
        behaviour: Any,
        stack: StackSettings,
        framework: FrameworkSettings,
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
        self.one_group = self.world.connect.one_group_per_user
        for group, user in sorted(members, key=lambda pair: (pair[0].name, pair[1].name)):
            self._join(group, user)
        self.statistics.count("examples", "examples")
        for variant in (
            stack.rollback,
            stack.in_flight,
            stack.failed_template,
            framework.after_kill,
        ):
            self.statistics.count("variants", f"{type(variant).__name__}.{variant.name}")
        for switch, value in behaviour.as_dict().items():
            self.statistics.count("variants", f"{switch}={value}")

    @rule(data=st.data())
    def deploy(self, data: st.DataObject) -> None:
        """Deploy the next version of the stack while all goes well."""
        self.deploy_in_trouble(data, Trouble())

    @rule(data=st.data(), trouble=troubles)
    def deploy_in_trouble(self, data: st.DataObject, trouble: Trouble) -> None:
        """Deploy the next version of the stack."""
        new = data.draw(next_declared(self.declared, one_group=self.one_group), label="declared")
        self._step("deploy")
        self._deploy(new, trouble)

    @precondition(lambda self: self.declared)
    @rule(data=st.data())
    def deploy_in_other_words(self, data: st.DataObject) -> None:
        """Deploy the same stack with other spellings: nothing may be written."""
        self._step("deploy in other words")
        new = data.draw(respelled(self.declared), label="respelled")
        mark = len(self.world.faulty.calls)
        self._deploy(new, Trouble())
        exclusive = any(
            isinstance(one, GroupUsers) and one.exclusive for one in self.declared.values()
        )
        if not (exclusive or self.drifted):
            self._require(
                f"{Promise.NO_OP_WRITES_NOTHING}: {call.operation}"
                for call in self.world.faulty.writes_since(mark)
            )

    @precondition(lambda self: self.world.stack.status not in ("", "DELETE_COMPLETE"))
    @rule(trouble=troubles)
    def delete(self, trouble: Trouble) -> None:
        """Delete the stack; after a failure once more."""
        self._step("delete")
        before = self.world.state()
        mark = len(self.world.stack.events)
        excuses = self._in_trouble(trouble, self.world.delete)
        if self.world.stack.status == "DELETE_FAILED":
            if trouble.heals:
                self._require([f"{Promise.DELETABLE}: {self.world.stack.reason}"])
            self._delete_at_last()
        self._check(
            Operation(
                old=self.declared, new={}, before=before, after=self.world.state(), excuses=excuses
            ).violations_of_deletion()
        )
        self.declared = {}
        self._repeat(self.world.stack.events[mark:], finishes=excuses.extras)

    @rule(group=st.sampled_from(cast.GROUPS), user=st.sampled_from(cast.USERS), joins=st.booleans())
    def somebody_interferes(self, group: cast.Thing, user: cast.Thing, joins: bool) -> None:  # noqa: FBT001 - drawn
        """Change a membership behind CloudFormation's back."""
        self._step("somebody interferes")
        if joins:
            self._join(group, user)
            return
        self.world.history.note("somebody", f"removes {user} from {group}")
        self.world.connect.leave(group, user)
        if (group.id, user.id) in pairs_of(self.declared):
            self.drifted.add((group.id, user.id))

    @rule(contact=st.sampled_from(cast.CONTACTS), user=st.sampled_from(cast.USERS))
    def somebody_takes_a_contact(self, contact: cast.Thing, user: cast.Thing) -> None:
        """Let a contact go to a user behind CloudFormation's back."""
        if self.world.connect.contact(contact).ended:
            return
        self._step("somebody takes a contact")
        self.world.history.note("somebody", f"{user} takes {contact}")
        self.world.connect.serve(contact, user)

    @precondition(lambda self: self.stale_events and self.world.events)
    @rule(number=st.integers(0, 30))
    def an_old_event_comes_again(self, number: int) -> None:
        """Deliver an event again that was answered long ago."""
        events = self.world.events
        self._step("an old event comes again")
        event = events[number % len(events)]
        before = self.world.state()
        self.world.deliver_again(event)
        # Who stayed in an exclusive group, because the stack could not be read, may leave now.
        exclusive = {
            one.group.id
            for one in self.declared.values()
            if isinstance(one, GroupUsers) and one.exclusive
        }
        late = {
            pair
            for pair in before.pairs - self.world.state().pairs - pairs_of(self.declared)
            if pair[0] in exclusive
        }
        self._require(
            f"{Promise.REPEATED_EVENT}: {event['RequestType']} {event['LogicalResourceId']}: {what}"
            for what in self._differences(replace(before, pairs=before.pairs - late))
        )

    def teardown(self) -> None:
        """Whatever happened, the stack can be deleted, and others' members stay."""
        if self.broken or not hasattr(self, "world"):
            return
        if self.world.stack.status not in ("", "DELETE_COMPLETE"):
            self.delete(Trouble())

    # One operation

    def _deploy(self, new: dict[str, Declared], trouble: Trouble) -> None:
        world = self.world
        old = self.declared
        # One that Connect shows as active all the same could never be transferred again.
        world.connect.end_transferred()
        before = world.state()
        creates = world.stack.status in ("", "DELETE_COMPLETE")
        template, parameters = self._template(new, trouble)
        excuses = self._in_trouble(trouble, lambda: world.deploy(template, parameters))
        status = world.stack.status
        self.statistics.count("outcomes", status)
        operation = Operation(old=old, new=new, before=before, after=world.state(), excuses=excuses)
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            self.declared = new
            self._check(operation.violations_of_success())
            return
        if trouble.heals and self._must_succeed(old, new):
            self._require([f"{Promise.HEALS}: {world.stack.reason}"])
        if status == "ROLLBACK_FAILED":
            self._delete_at_last()
            self._check(
                Operation(
                    old=new, new={}, before=before, after=world.state(), excuses=excuses
                ).violations_of_deletion(adopted_unknown=True)
            )
            return
        if status == "UPDATE_ROLLBACK_FAILED":
            self._check(operation.violations_of_standstill())
            world.sabotage_next(seconds={}, fails=set())
            excuses = self._in_trouble(Trouble(), world.continue_rollback, earlier=excuses)
            if world.stack.status != "UPDATE_ROLLBACK_COMPLETE":
                self._require([f"{Promise.RESTORED}: {world.stack.reason}"])
                self._delete_at_last()
                self.declared = {}
                return
            operation = Operation(
                old=old, new=new, before=before, after=world.state(), excuses=excuses
            )
        self._check(operation.violations_of_failure())
        if creates:
            world.delete()
            self._require(self._differences(operation.after))

    def _in_trouble(
        self,
        trouble: Trouble,
        act: Any,
        *,
        earlier: Excuses | None = None,
    ) -> Excuses:
        """Run *act* while things go wrong; return what that excuses."""
        world = self.world
        stack, started = world.stack, world.clock.time()
        first_event = len(world.events)
        unreadable = world.cloudformation.unreadable
        happened = world.faulty.happened.copy()
        world.faulty.plan = FaultPlan(
            at=dict(trouble.faults),
            writes_only=trouble.writes_only,
            denied_until=started + trouble.denied if not stack.status else 0.0,
        )
        world.cloudformation.faults = trouble.read_faults()
        for thing, seconds in trouble.slow.items():
            if thing in cast.GROUPS:
                world.connect.group_becomes_active(thing, after=seconds)
                self.statistics.count("faults", "group not ACTIVE")
            else:
                world.connect.user_replicates(thing, after=seconds)
                self.statistics.count("faults", "user not replicated")
        world.repeat_events(
            lambda number: (
                (trouble.repeats[number - first_event],)
                if number - first_event in trouble.repeats
                else ()
            )
        )
        let_go: set[Pair] = set(earlier.let_go) if earlier else set()
        if world.events and self.stale_events:
            for number, delay in trouble.stale.items():
                event = world.events[number % len(world.events)]
                if self._is_carried_out_again(event):
                    continue
                if event["RequestType"] == "Delete":
                    let_go |= self._pairs_of_event(event)
                world.deliver_stale(event, delay=delay)
                self.statistics.count("faults", "event of an earlier operation delivered again")
        act()
        stack = world.stack
        for fault, count in (world.faulty.happened - happened).items():
            self.statistics.count("faults", fault, count)
        self.statistics.count("faults", "event delivered twice", world.repeated)
        world.repeated = 0
        world.faulty.plan = FaultPlan()
        world.cloudformation.faults = ReadFaults()
        world.repeat_events(lambda _number: ())
        if trouble.sabotage:
            self.statistics.count("faults", "sibling failed")
        return Excuses(
            unreadable=world.cloudformation.unreadable > unreadable
            or bool(earlier and earlier.unreadable),
            abandoned=bool(stack.cancelled & world.framework.killed),
            left_behind=bool(stack.left_behind),
            one_group=self.one_group,
            drifted=frozenset(self.drifted) | (earlier.drifted if earlier else frozenset()),
            let_go=frozenset(let_go),
        )

    def _is_carried_out_again(self, event: Event) -> bool:
        """Whether the handlers are known to take an old event for one of the next deployment.

        They ask which resources there are only when the stack is at rest or goes back. Whether
        the resource is exclusive may be what the next deployment changes.
        """
        live = self._live_properties(event)
        if event["RequestType"] == "Delete":
            return live is None
        properties = event["ResourceProperties"]
        return bool(live != properties or properties.get("Exclusive"))

    def _pairs_of_event(self, event: Event) -> set[Pair]:
        properties = event["ResourceProperties"]
        if "TrafficDistributionGroupId" not in properties:
            return set()
        return {(group, user) for _, _, group, user in naive.pairs_of(properties)}

    def _live_properties(self, event: Event) -> Any:
        """Return the properties of the event's resource; None if it is not there."""
        live = self.world.stack.resources.get(event["LogicalResourceId"])
        return live.properties if live and not live.status.startswith("DELETE") else None

    def _template(
        self, new: dict[str, Declared], trouble: Trouble
    ) -> tuple[dict[str, Any], dict[str, str]]:
        sabotage = trouble.sabotage
        if sabotage:
            self.version += 1
        sibling = cast.sibling(
            version=self.version, after=tuple(new) if sabotage and sabotage.last else ()
        )
        fails = {(_SIBLING, "Create"), (_SIBLING, "Update")} if sabotage else set()
        if sabotage and sabotage.revert:
            fails.add((_SIBLING, "Revert"))
        self.world.sabotage_next(
            seconds={_SIBLING: sabotage.seconds} if sabotage else {}, fails=fails
        )
        return template_of(new, {_SIBLING: sibling})

    def _delete_at_last(self) -> None:
        self.world.sabotage_next(seconds={}, fails=set())
        if self.world.delete() != "DELETE_COMPLETE":
            self._require([f"{Promise.DELETABLE}: {self.world.stack.reason}"])
            self.world.abandon_stack()
            self.declared = {}

    def _repeat(self, deletes: list[Event], *, finishes: bool) -> None:
        """Deliver the Deletes of the stack that is gone once more.

        :param finishes: whether the first time may have left something to do.
        """
        for event in deletes[-2:]:
            before = self.world.state()
            answer = self.world.deliver_again(event)
            if answer["Status"] != "SUCCESS":
                self._require([f"{Promise.DELETE_IDEMPOTENT}: {answer['Reason']}"])
            if not finishes:
                self._require(
                    f"{Promise.DELETE_IDEMPOTENT}: {what}" for what in self._differences(before)
                )

    def _must_succeed(self, old: dict[str, Declared], new: dict[str, Declared]) -> bool:
        contacts = [
            one for key, one in new.items() if isinstance(one, ContactUser) and old.get(key) != one
        ]
        return not (contacts or self.one_group)

    # Checks

    def _differences(self, before: ConnectState) -> list[str]:
        after = self.world.state()
        drift = self.drifted
        changed = [
            f"{cast.named('/'.join(pair))} changed"
            for pair in sorted((before.pairs ^ after.pairs) - drift)
        ]
        for contact, state in after.contacts.items():
            was = before.contacts[contact]
            if (state.ended, state.transferred, state.with_user) != (
                was.ended,
                was.transferred,
                was.with_user,
            ):
                changed.append(f"{cast.NAMES[contact]} changed: {was} -> {state}")
        return changed

    def _check(self, violations: Iterable[str]) -> None:
        self._require(violations)
        # What is excused now must not be demanded of the next operation.
        self.drifted = set(pairs_of(self.declared) - self.world.connect.memberships())

    def _require(self, violations: Iterable[str]) -> None:
        written = self.world.on_event_writes
        found = [
            *violations,
            *(f"{Promise.ON_EVENT_READS_ONLY}: {operation}" for operation in written),
        ]
        written.clear()
        found = [violation for violation in found if violation.startswith(tuple(self.promises))]
        if found:
            self.broken = True
            self.statistics.count("violations", found[0].partition(":")[0])
            raise BrokenRule("\n".join((*found, "", self.world.story())))

    def _join(self, group: cast.Thing, user: cast.Thing) -> None:
        if self.one_group and any(
            user_id == user.id for _, user_id in self.world.connect.memberships()
        ):
            return
        self.world.history.note("somebody", f"adds {user} to {group}")
        self.world.connect.join(group, user)

    def _step(self, name: str) -> None:
        self.statistics.count("steps", name)
