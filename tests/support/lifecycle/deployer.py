"""Deploys what the machine draws, and judges what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle import cast
from lifecycle.declared import ContactUser, Declared, pairs_of, template_of
from lifecycle.expectations import Operation, retained_pairs
from lifecycle.history import BrokenRule
from lifecycle.in_trouble import in_trouble
from lifecycle.promises import Promise
from lifecycle.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifecycle.connect_world import ConnectState
    from lifecycle.declared import Pair
    from lifecycle.framework import Event
    from lifecycle.promises import Verdicts
    from lifecycle.statistics import Statistics
    from lifecycle.world import World

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_PAUSED = ("CREATE_FAILED", "UPDATE_FAILED")

Stacks = dict[str, Declared]
"""What a stack declares, by logical ID."""


class Deployer:
    """The stacks of a world, and what each of them declares.

    :param names: of the stacks.
    :param promises: those to check.
    :ivar declared: what each stack declares, by name.
    :ivar drifted: declared memberships that somebody removed.
    :ivar broken: whether a promise was broken.
    """

    def __init__(
        self,
        world: World,
        *,
        names: Sequence[str],
        statistics: Statistics,
        promises: frozenset[Promise],
    ) -> None:
        self._world = world
        self._statistics = statistics
        self._promises = promises
        self.one_group = world.connect.one_group_per_user
        self.declared: dict[str, Stacks] = {name: {} for name in names}
        self.drifted: set[Pair] = set()
        self.broken = False
        self._retained: set[Pair] = set()
        self._unfinished: set[Pair] = set()
        self._retained_contacts: set[str] = set()
        self._uncertain = False
        self._version = 0
        self._failed: dict[str, tuple[ConnectState, Stacks]] = {}

    def exists(self, name: str) -> bool:
        """Whether there is a stack of that name."""
        return self._world.stack_named(name).status not in ("", "DELETE_COMPLETE")

    def others(self, name: str) -> Stacks:
        """Return what the other stacks declare."""
        return _merged({other: one for other, one in self.declared.items() if other != name})

    # Deployments

    def deploy(self, name: str, new: Stacks, trouble: Trouble) -> None:
        """Deploy, with a rollback if it fails."""
        before = self._before()
        creates = not self.exists(name)
        template, parameters = self._template(name, new, trouble)
        with self._in(trouble, creates=creates):
            status = self._world.deploy(template, parameters, stack=name)
        self._statistics.count("outcomes", status)
        if status in _GOOD:
            self._succeeded(name, new, before)
            return
        if trouble.heals and self._must_succeed(name, new):
            self._require([f"{Promise.HEALS}: {self._world.stack_named(name).reason}"])
        self._came_back(name, new, before)

    def deploy_without_rollback(self, name: str, new: Stacks, trouble: Trouble) -> bool:
        """Deploy with ``--no-rollback``; return whether it succeeded."""
        before = self._before()
        template, parameters = self._template(name, new, trouble)
        with self._in(trouble, creates=not self.exists(name)):
            status = self._world.deploy(template, parameters, stack=name, rollback=False)
        self._statistics.count("outcomes", f"{status} (no rollback)")
        if status in _GOOD:
            self._succeeded(name, new, before)
            return True
        self._judge(self._operation(name, new, before).at_standstill(), is_over=False)
        self._failed[name] = (before, new)
        return False

    def retry(self, name: str, new: Stacks, trouble: Trouble) -> None:
        """Deploy after ``--no-rollback``, and roll back if that fails too."""
        before, tried = self._failed[name]
        template, parameters = self._template(name, new, trouble)
        with self._in(trouble, creates=False):
            status = self._world.deploy(template, parameters, stack=name, rollback=False)
        self._statistics.count("outcomes", f"{status} (retry)")
        if status in _GOOD:
            del self._failed[name]
            self._succeeded(name, new, before, tried=tried)
            return
        if trouble.heals and self._must_succeed(name, new | tried):
            self._require([f"{Promise.HEALS}: {self._world.stack_named(name).reason}"])
        tried = _merged({"first": tried, "second": new})
        self._judge(self._operation(name, {}, before, tried=tried).at_standstill(), is_over=False)
        self._failed[name] = (before, tried)
        self.roll_back(name)

    def roll_back(self, name: str) -> None:
        """Roll back what ``--no-rollback`` has left."""
        before, tried = self._failed.pop(name)
        self._world.sabotage_next(seconds={}, fails=set())
        self._statistics.count("outcomes", f"{self._world.roll_back(name)} (roll back)")
        self._came_back(name, {}, before, tried=tried)

    def delete_failed(self, name: str) -> None:
        """Delete what ``--no-rollback`` has left."""
        before, tried = self._failed.pop(name)
        self._delete_at_last(name)
        self._deleted(name, before, tried=tried, adopted_unknown=True)

    def can_go_together(self, news: Mapping[str, Stacks]) -> bool:
        """Whether no stack wants what the other one still has for itself."""
        contacts = [
            (one.contact, one.user)
            for declared in (*news.values(), *self.declared.values())
            for one in declared.values()
            if isinstance(one, ContactUser)
        ]
        return not contacts and not self.one_group and not self._failed

    def deploy_together(self, news: Mapping[str, Stacks], trouble: Trouble) -> None:
        """Deploy stacks at the same time."""
        before = self._before()
        old = {name: self.declared[name] for name in news}
        templates, parameters = {}, {}
        # What fails, fails in the first one only: it has the last word.
        for name in reversed(list(news)):
            its = trouble if name == next(iter(news)) else Trouble()
            templates[name], parameters[name] = self._template(name, news[name], its)
        with self._in(trouble, creates=False):
            statuses = self._world.deploy_together(templates, parameters)
        self._statistics.count("outcomes", " and ".join(sorted(statuses.values())))
        good = {name for name, status in statuses.items() if status in _GOOD}
        stuck = {name for name, s in statuses.items() if s.endswith("ROLLBACK_FAILED")}
        if stuck:
            self._world.sabotage_next(seconds={}, fails=set())
            for name in stuck:
                self._delete_at_last(name)
                self.declared[name] = {}
                self._retain(old[name], failed=news[name])
            for name in good:
                self.declared[name] = news[name]
            return
        new = _merged({name: one for name, one in news.items() if name in good})
        operation = Operation(
            old=_merged({name: one for name, one in old.items() if name in good}),
            new=new,
            tried=_merged({name: one for name, one in news.items() if name not in good}),
            others=_merged({name: one for name, one in old.items() if name not in good}),
            before=before,
            after=self._world.state(),
            retained=frozenset(self._retained),
            unfinished=frozenset(self._unfinished),
            retained_contacts=frozenset(self._retained_contacts),
            drifted=frozenset(self.drifted),
        )
        for name in good:
            self.declared[name] = news[name]
        self._judge(operation.after_success() if good else operation.after_failure())
        self._retain(*(news[name] for name in good), *old.values())
        for name in news.keys() - good:
            self._retain(failed=news[name])
            if self._world.stack_named(name).status == "ROLLBACK_COMPLETE":
                self._world.delete(name)

    def deploy_in_other_words(self, name: str, new: Stacks) -> None:
        """Deploy what is deployed already."""
        if name in self._failed:
            return
        resources = self._world.stack_named(name).resources
        ids = {key: resource.physical_id for key, resource in resources.items()}
        mark = len(self._world.faulty.calls)
        self.deploy(name, new, Trouble())
        self._require(
            f"{Promise.NO_OP_WRITES_NOTHING}: {call.operation}"
            for call in self._world.faulty.writes_since(mark)
        )
        self._require(
            f"{Promise.NO_OP_WRITES_NOTHING}: {key} has another ID"
            for key, resource in resources.items()
            if key in new and ids.get(key) != resource.physical_id
        )

    def delete(self, name: str, trouble: Trouble) -> None:
        """Delete a stack; after a failure once more."""
        stack = self._world.stack_named(name)
        before = self._before()
        mark = len(stack.events)
        with self._in(trouble, creates=False):
            status = self._world.delete(name)
        if status == "DELETE_FAILED":
            if trouble.heals:
                self._require([f"{Promise.DELETABLE}: {stack.reason}"])
            self._delete_at_last(name)
        self._deleted(name, before)
        for event in stack.events[mark:][-2:]:
            state = self._world.state()
            answer = self._world.deliver_again(event)
            if answer["Status"] != "SUCCESS":
                self._require([f"{Promise.DELETE_IDEMPOTENT}: {answer['Reason']}"])
            self._require(f"{Promise.DELETE_IDEMPOTENT}: {what}" for what in self._changed(state))

    def deliver_again(self, event: Event) -> None:
        """Deliver an event that was answered long ago."""
        before = self._world.state()
        self._world.deliver_again(event)
        self._require(
            f"{Promise.REPEATED_EVENT}: {event['RequestType']} {event['LogicalResourceId']}: {what}"
            for what in self._changed(before)
        )

    # Their outcomes

    def _succeeded(
        self, name: str, new: Stacks, before: ConnectState, tried: Stacks | None = None
    ) -> None:
        operation = self._operation(name, new, before, tried=tried)
        old, self.declared[name] = self.declared[name], new
        self._judge(operation.after_success())
        self._retain(old, new, failed=tried)
        self._unfinished -= pairs_of(new)

    def _came_back(
        self, name: str, new: Stacks, before: ConnectState, tried: Stacks | None = None
    ) -> None:
        stack = self._world.stack_named(name)
        failed = _merged({"": new, "tried": tried or {}})
        if stack.status == "ROLLBACK_FAILED":
            self._delete_at_last(name)
            self.declared[name] = {}
            self._deleted(name, before, tried=failed, adopted_unknown=True)
            return
        if stack.status == "UPDATE_ROLLBACK_FAILED":
            self._judge(
                self._operation(name, new, before, tried=tried).at_standstill(), is_over=False
            )
            self._world.sabotage_next(seconds={}, fails=set())
            if self._world.continue_rollback(name) != "UPDATE_ROLLBACK_COMPLETE":
                self._require([f"{Promise.RESTORED}: {stack.reason}"])
                self._delete_at_last(name)
                self._retain(self.declared[name], failed=failed)
                self.declared[name] = {}
                return
        operation = self._operation(name, new, before, tried=tried)
        self._judge(operation.after_failure())
        self._retain(failed=failed)
        if stack.status == "ROLLBACK_COMPLETE":
            self._world.delete(name)
            self._require(self._changed(operation.after))

    def _deleted(
        self,
        name: str,
        before: ConnectState,
        *,
        tried: Stacks | None = None,
        adopted_unknown: bool = False,
    ) -> None:
        operation = self._operation(name, {}, before, tried=tried)
        old, self.declared[name] = self.declared[name], {}
        self._judge(operation.after_deletion(adopted_unknown=adopted_unknown))
        self._retain(old, failed=tried)

    def _operation(
        self, name: str, new: Stacks, before: ConnectState, *, tried: Stacks | None = None
    ) -> Operation:
        return Operation(
            old=self.declared[name],
            new=new,
            tried=tried or {},
            others=self.others(name),
            before=before,
            after=self._world.state(),
            retained=frozenset(self._retained),
            unfinished=frozenset(self._unfinished),
            retained_contacts=frozenset(self._retained_contacts),
            drifted=frozenset(self.drifted),
            one_group=self.one_group,
            uncertain=self._uncertain,
        )

    def _before(self) -> ConnectState:
        # One that Connect shows as active all the same could never be transferred again.
        self._world.connect.end_transferred()
        return self._world.state()

    def _in(self, trouble: Trouble, *, creates: bool) -> Any:
        self._uncertain = self._uncertain or trouble.loses_calls
        return in_trouble(self._world, trouble, self._statistics, creates=creates)

    def _template(
        self, name: str, new: Stacks, trouble: Trouble
    ) -> tuple[dict[str, Any], dict[str, str]]:
        sabotage, sibling_id = trouble.sabotage, f"{name}Sibling"
        if sabotage:
            self._version += 1
        sibling = cast.sibling(
            version=self._version, after=tuple(new) if sabotage and sabotage.last else ()
        )
        fails = {(sibling_id, "Create"), (sibling_id, "Update")} if sabotage else set()
        if sabotage and sabotage.revert:
            fails.add((sibling_id, "Revert"))
        self._world.sabotage_next(
            seconds={sibling_id: sabotage.seconds} if sabotage else {}, fails=fails
        )
        return template_of(new, {sibling_id: sibling})

    def _delete_at_last(self, name: str) -> None:
        self._world.sabotage_next(seconds={}, fails=set())
        if self._world.delete(name) != "DELETE_COMPLETE":
            self._require([f"{Promise.DELETABLE}: {self._world.stack_named(name).reason}"])
            self._world.abandon_stack(name)
            self.declared[name] = {}

    def _must_succeed(self, name: str, new: Stacks) -> bool:
        old = self.declared[name]
        contacts = [
            one for key, one in new.items() if isinstance(one, ContactUser) and old.get(key) != one
        ]
        return not (contacts or self.one_group)

    def _retain(self, *stacks: Stacks, failed: Stacks | None = None) -> None:
        """Note what CloudFormation does not ask to be taken out, whether its deployment failed."""
        failed = failed or {}
        self._unfinished |= retained_pairs(failed)
        for declared in (*stacks, failed):
            self._retained |= retained_pairs(declared)
            self._retained_contacts |= {
                one.contact.id
                for one in declared.values()
                if isinstance(one, ContactUser) and one.retain
            }

    # Checks

    def _changed(self, before: ConnectState) -> list[str]:
        after = self._world.state()
        changed = [
            f"{cast.named('/'.join(pair))} changed" for pair in sorted(before.pairs ^ after.pairs)
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

    def _judge(self, verdicts: Verdicts, *, is_over: bool = True) -> None:
        self._statistics.add(verdicts)
        self._require(verdicts.violations)
        # What is excused now must not be demanded of the next operation.
        declared = frozenset().union(*(pairs_of(one) for one in self.declared.values()))
        drifted = declared - self._world.connect.memberships()
        # At a standstill, what comes is still compared with what was before.
        self.drifted = set(drifted) if is_over else self.drifted | drifted

    def _require(self, violations: Iterable[str]) -> None:
        written = self._world.on_event_writes
        found = [
            *violations,
            *(f"{Promise.ON_EVENT_READS_ONLY}: {operation}" for operation in written),
        ]
        written.clear()
        found = [violation for violation in found if violation.startswith(tuple(self._promises))]
        if found:
            self.broken = True
            self._statistics.count("violations", found[0].partition(":")[0])
            raise BrokenRule("\n".join((*found, "", self._world.story())))


def _merged(stacks: Mapping[str, Stacks]) -> Stacks:
    """Return what several stacks declare together."""
    return {f"{name} {key}": one for name, stack in stacks.items() for key, one in stack.items()}
