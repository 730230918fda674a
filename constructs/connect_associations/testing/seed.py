"""A small contact centre that is the same every time: what the demo and the deploy tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.testing.entities import Channel

if TYPE_CHECKING:
    from connect_associations.testing.emulation import ConnectEmulation

HOME_REGION = "us-east-1"
REPLICA_REGION = "us-west-2"
INSTANCE_ID = "11111111-1111-4111-8111-111111111111"
GROUP_ID = "22222222-2222-4222-8222-000000000001"
REPLICA_GROUP_ID = "22222222-2222-4222-8222-000000000002"
USERS = {
    "ann": "33333333-3333-4333-8333-00000000000a",
    "bob": "33333333-3333-4333-8333-00000000000b",
    "cyd": "33333333-3333-4333-8333-00000000000c",
    "dan": "33333333-3333-4333-8333-00000000000d",
    "eve": "33333333-3333-4333-8333-00000000000e",
}
QUEUE_ID = "44444444-4444-4444-8444-000000000001"
OTHER_QUEUE_ID = "44444444-4444-4444-8444-000000000002"
CONTACT_FLOW_ID = "55555555-5555-4555-8555-000000000001"
CONTACTS = {
    channel: tuple(f"66666666-6666-4666-8666-{kind:04d}{number:08d}" for number in range(1, 4))
    for kind, channel in enumerate(Channel)
}
"""Three queued contacts on each channel."""


def seed(emulation: ConnectEmulation) -> None:
    """Fill an empty emulation: a replicated instance, users, two groups, queues and contacts."""
    instance = emulation.add_instance(
        instance_id=INSTANCE_ID, region=HOME_REGION, replica_region=REPLICA_REGION
    )
    emulation.add_users(instance, USERS)
    emulation.add_group(instance, group_id=GROUP_ID, region=HOME_REGION, name="East")
    emulation.add_group(instance, group_id=REPLICA_GROUP_ID, region=REPLICA_REGION, name="West")
    queue = emulation.add_queue(instance, queue_id=QUEUE_ID)
    emulation.add_queue(instance, queue_id=OTHER_QUEUE_ID, name="Other queue")
    emulation.add_contact_flow(instance, contact_flow_id=CONTACT_FLOW_ID)
    for channel, contact_ids in CONTACTS.items():
        for contact_id in contact_ids:
            emulation.add_contact(instance, contact_id=contact_id, channel=channel, queue=queue)
