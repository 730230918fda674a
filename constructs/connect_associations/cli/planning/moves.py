"""Who moves in one group, by the provider's own rules: a pure function."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.groups import claims as rules
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connect_provider.ledger.claim import GroupClaim


class Moves(NamedTuple):
    """Who moves in one group, each with the claim because of which."""

    joins: dict[str, GroupClaim]
    adopted: dict[str, GroupClaim]
    leaves: dict[str, GroupClaim]
    stays: int


def moves(
    members: frozenset[str],
    claims: Sequence[GroupClaim],
    *,
    planned: Sequence[GroupClaim],
    ending: Sequence[GroupClaim],
    listed: Callable[[str], frozenset[str]],
) -> Moves:
    """Return who moves, by the provider's rules.

    :param claims: all claims on the group, as they are.
    :param planned: the claims that the deployment makes.
    :param ending: which of *claims* it ends.
    :param listed: the physical IDs that a stack has when it is cleaned up.
    """
    after = [*(claim for claim in claims if claim not in ending), *planned]
    wanted_before, wanted = rules.wanted(claims), rules.wanted(after)
    named = {user_id: claim for claim in planned for user_id in claim.users}
    leaves: dict[str, GroupClaim] = {}
    live = [claim._replace(phase=Phase.LIVE) if claim in planned else claim for claim in after]
    for claim in ending:
        heirs = rules.heirs(claim, after, partial(listed, claim.owner.stack_id))
        stay = rules.kept(claim) | frozenset().union(*(heir.users for heir in heirs))
        leaves |= dict.fromkeys((claim.users & members) - stay, claim)
        if rules.removes_strangers(claim, live):
            leaves |= dict.fromkeys(members - wanted - wanted_before, claim)
    for claim in planned:
        noted = rules.noted(claim, members, [*claims, *planned], now=time.time())
        leaves |= dict.fromkeys(noted.expelled & members if noted else (), claim)
    present = named.keys() & members
    return Moves(
        joins={user_id: named[user_id] for user_id in named.keys() - members},
        adopted={user_id: named[user_id] for user_id in present - wanted_before},
        leaves=leaves,
        stays=len(members & wanted_before & wanted),
    )
