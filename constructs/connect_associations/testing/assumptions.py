"""What this library assumes about Amazon Connect and CloudFormation: one list.

Each assumption says what is open, what Amazon documents and how sure that is. Those that the
emulation can turn either way are the switches of
:class:`~connect_associations.testing.behaviour.ConnectBehaviour`; ``connect-associations verify``
observes them on a real instance, and ``make assume`` notes in ``observed.json`` what it saw.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connect_associations.testing import observed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connect_associations.testing.observed import Observation

T = TypeVar("T")


class Answer(enum.StrEnum):
    """How an operation answers where the documentation does not say."""

    SUCCEEDS = "Succeeds"
    RESOURCE_NOT_FOUND = "ResourceNotFoundException"
    RESOURCE_CONFLICT = "ResourceConflictException"
    INVALID_REQUEST = "InvalidRequestException"
    CONTACT_NOT_FOUND = "ContactNotFoundException"
    INVALID_ACTIVE_REGION = "InvalidActiveRegionException"


class IdentifierForm(enum.StrEnum):
    """How an identifier is spelled in an answer."""

    ID = "Id"
    ARN = "Arn"


class ThrottlingError(enum.StrEnum):
    """The error code of a request above the quota; both come with HTTP status 429."""

    THROTTLING = "ThrottlingException"
    TOO_MANY_REQUESTS = "TooManyRequestsException"


class TransferredContact(enum.StrEnum):
    """Which contact TransferContact answers with, and what becomes of the one it was given."""

    NEW_AND_OLD_ENDS = "NewAndOldEnds"
    NEW_AND_OLD_STAYS = "NewAndOldStays"
    SAME = "Same"


class Subject(enum.StrEnum):
    """What an assumption is about."""

    GROUPS = "Traffic distribution groups"
    USERS = "Users and replication"
    CONTACTS = "Contacts"
    QUOTAS = "Quotas"
    CLOUDFORMATION = "CloudFormation"


class Sureness(enum.StrEnum):
    """How sure the first choice is, before anybody has tried it out."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumption(Generic[T]):
    """An open question, and how it may be answered.

    :ivar name: its name, and that of the switch if the emulation has one.
    :ivar subject: what it is about.
    :ivar question: what is open.
    :ivar documented: what Amazon's documentation says.
    :ivar source: the address of the documentation, or of who measured it.
    :ivar sureness: how sure the first choice is.
    :ivar choices: what the library must be right for: the likeliest first, which is what the
        emulation does by default. A single one is documented; it is tried out all the same.
    :ivar binding: whether the emulation's default must be what was observed. It need not be where
        the emulation shortens a wait, or where accounts differ. Default: it must.
    """

    name: str
    subject: Subject
    question: str
    documented: str
    source: str
    sureness: Sureness
    choices: tuple[T, ...]
    binding: bool = True

    @property
    def expected(self) -> T:
        """The likeliest choice: the emulation's default."""
        return self.choices[0]

    @property
    def observed(self) -> tuple[Observation, ...]:
        """What was observed, the latest last; empty if nobody has tried it out."""
        return observed.observations().get(self.name, ())


def contradictions(
    assumptions: Sequence[Assumption[Any]], seen: Mapping[str, Sequence[Observation]]
) -> Iterator[str]:
    """Yield a sentence for each default of the emulation that the latest observation contradicts.

    :param seen: observations by the names of the assumptions, the latest last.
    """
    for assumption in assumptions:
        latest = seen.get(assumption.name, ())[-1:]
        for each in latest:
            # JSON's 0 and false are equal in Python, and mean different things here.
            same = (each.value, type(each.value) is bool) == (
                assumption.expected,
                type(assumption.expected) is bool,
            )
            if assumption.binding and not same:
                yield (
                    f"{assumption.name}: expected {assumption.expected}, but {each.value} was "
                    f"observed in {each.region} on {each.date}; make that its first choice"
                )


def _api(operation: str) -> str:
    return f"https://docs.aws.amazon.com/connect/latest/APIReference/API_{operation}.html"


_GUIDE = "https://docs.aws.amazon.com/connect/latest/adminguide"
_CLOUDFORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest"
_EVENTS = f"{_CLOUDFORMATION}/TemplateReference/crpg-ref-requesttypes.html"

# Traffic distribution groups ----------------------------------------------------------------------

ASSOCIATE_MEMBER = Assumption(
    name="associate_member",
    subject=Subject.GROUPS,
    question="Associate a user who is in the group already.",
    documented="Nothing; the operation models a ResourceConflictException.",
    source=_api("AssociateTrafficDistributionGroupUser"),
    sureness=Sureness.LOW,
    choices=(Answer.SUCCEEDS, Answer.RESOURCE_CONFLICT, Answer.INVALID_REQUEST),
)
DISASSOCIATE_NON_MEMBER = Assumption(
    name="disassociate_non_member",
    subject=Subject.GROUPS,
    question="Disassociate a user who is not in the group.",
    documented="Nothing.",
    source=_api("DisassociateTrafficDistributionGroupUser"),
    sureness=Sureness.LOW,
    choices=(
        Answer.RESOURCE_NOT_FOUND,
        Answer.SUCCEEDS,
        Answer.RESOURCE_CONFLICT,
        Answer.INVALID_REQUEST,
    ),
)
USER_IN_SEVERAL_GROUPS = Assumption(
    name="user_in_several_groups",
    subject=Subject.GROUPS,
    question="Associate a user who is in another group of the same instance.",
    documented="Nothing.",
    source=_api("AssociateTrafficDistributionGroupUser"),
    sureness=Sureness.LOW,
    choices=(Answer.SUCCEEDS, Answer.RESOURCE_CONFLICT),
)
ASSOCIATE_UNKNOWN_USER = Assumption(
    name="associate_unknown_user",
    subject=Subject.GROUPS,
    question="Associate a user whom the instance does not have.",
    documented="ResourceNotFoundException.",
    source=_api("AssociateTrafficDistributionGroupUser"),
    sureness=Sureness.HIGH,
    choices=(Answer.RESOURCE_NOT_FOUND,),
)
ASSOCIATE_OUTSIDE_HOME_REGION = Assumption(
    name="associate_outside_home_region",
    subject=Subject.GROUPS,
    question="Associate a user outside of the group's home Region, with the group's ARN.",
    documented="The operation works in the Region only in which the group was created.",
    source=_api("AssociateTrafficDistributionGroupUser"),
    sureness=Sureness.HIGH,
    choices=(Answer.RESOURCE_NOT_FOUND,),
)
GROUP_ARN_IN_REPLICA = Assumption(
    name="group_arn_in_replica",
    subject=Subject.GROUPS,
    question="Describe a group by its ARN outside of its home Region.",
    documented="It must be called with the ARN there.",
    source=_api("DescribeTrafficDistributionGroup"),
    sureness=Sureness.HIGH,
    choices=(Answer.SUCCEEDS,),
)
PLAIN_GROUP_ID_IN_REPLICA = Assumption(
    name="plain_group_id_in_replica",
    subject=Subject.GROUPS,
    question="Describe or list a group by its plain ID outside of its home Region.",
    documented="It must be called with the ARN there; what the ID answers is not said.",
    source=_api("DescribeTrafficDistributionGroup"),
    sureness=Sureness.MEDIUM,
    choices=(Answer.RESOURCE_NOT_FOUND, Answer.SUCCEEDS),
)
GROUP_USERS_PAGE_SIZE = Assumption(
    name="group_users_page_size",
    subject=Subject.GROUPS,
    question=(
        "The most summaries on a page of ListTrafficDistributionGroupUsers, however large "
        "MaxResults is (1 to 1,000)."
    ),
    documented="The service model gives the list at most 10 items, and MaxResults up to 1,000.",
    source=_api("ListTrafficDistributionGroupUsers"),
    sureness=Sureness.LOW,
    choices=(10, 100, 1000),
)
GROUP_USERS_MAX_RESULTS = Assumption(
    name="group_users_max_results",
    subject=Subject.GROUPS,
    question=(
        "The largest MaxResults that ListTrafficDistributionGroupUsers takes; a larger one is "
        "refused with InvalidRequestException."
    ),
    documented="1,000; it was 10 in service models before 2026.",
    source=_api("ListTrafficDistributionGroupUsers"),
    sureness=Sureness.MEDIUM,
    choices=(1000, 100, 10),
)
GROUP_USER_ID = Assumption(
    name="group_user_id",
    subject=Subject.GROUPS,
    question="How ListTrafficDistributionGroupUsers spells a UserId.",
    documented="The ID or the ARN of the user.",
    source=_api("TrafficDistributionGroupUserSummary"),
    sureness=Sureness.LOW,
    choices=(IdentifierForm.ID, IdentifierForm.ARN),
)
LIST_INACTIVE_GROUP = Assumption(
    name="list_inactive_group",
    subject=Subject.GROUPS,
    question="List the users of a group that is not ACTIVE.",
    documented="Nothing.",
    source=_api("ListTrafficDistributionGroupUsers"),
    sureness=Sureness.LOW,
    choices=(Answer.SUCCEEDS, Answer.RESOURCE_NOT_FOUND),
)
GROUP_ACTIVE_AFTER_CALLS = Assumption(
    name="group_active_after_calls",
    subject=Subject.GROUPS,
    question="How many calls find a new group in CREATION_IN_PROGRESS. 0: it is ACTIVE at once.",
    documented="Only an ACTIVE group can be used; how long it takes is not said.",
    source=_api("TrafficDistributionGroup"),
    sureness=Sureness.HIGH,
    choices=(0, 2),
    binding=False,
)
CROSS_REGION_ROUTING_WITHOUT_GLOBAL_ROUTING = Assumption(
    name="cross_region_routing_without_global_routing",
    subject=Subject.GROUPS,
    question="Ask for the cross-Region routing of an instance without global routing.",
    documented="The operation is for instances with global routing only; no error is named.",
    source=_api("GetCrossRegionRouting"),
    sureness=Sureness.LOW,
    choices=(Answer.INVALID_REQUEST, Answer.RESOURCE_NOT_FOUND),
)

# Users and replication ----------------------------------------------------------------------------

VISIBLE_AFTER_CALLS = Assumption(
    name="visible_after_calls",
    subject=Subject.USERS,
    question=(
        "How many calls do not find a user or a group that was just made. 0: it is found at once."
    ),
    documented=(
        "Connect is eventually consistent: it may take seconds, in some cases several minutes."
    ),
    source=_api("CreateUser"),
    sureness=Sureness.HIGH,
    choices=(0, 2),
    binding=False,
)
USER_REPLICATED_AFTER_CALLS = Assumption(
    name="user_replicated_after_calls",
    subject=Subject.USERS,
    question=(
        "How many attempts to associate a new user of a replicated instance are refused. 0: none."
    ),
    documented="Replication is near real time; a sync that failed is tried again within 30 min.",
    source=f"{_GUIDE}/setup-connect-global-resiliency.html",
    sureness=Sureness.HIGH,
    choices=(0, 2),
    binding=False,
)
ASSOCIATE_UNREPLICATED_USER = Assumption(
    name="associate_unreplicated_user",
    subject=Subject.USERS,
    question="Associate a user who has not been replicated to the other Region yet.",
    documented="InvalidRequestException.",
    source=_api("AssociateTrafficDistributionGroupUser"),
    sureness=Sureness.HIGH,
    choices=(Answer.INVALID_REQUEST,),
)
DELETED_USER_STAYS_MEMBER = Assumption(
    name="deleted_user_stays_member",
    subject=Subject.USERS,
    question="Whether a deleted user stays in the lists of its groups.",
    documented="Nothing.",
    source=_api("DeleteUser"),
    sureness=Sureness.LOW,
    choices=(False, True),
)
REPLICATION_FINDINGS_WITHOUT_REPLICA = Assumption(
    name="replication_findings_without_replica",
    subject=Subject.USERS,
    question="List the replication findings of an instance that has no replica.",
    documented="The operation is for replicated instances only; no error is named.",
    source=_api("ListReplicationFindings"),
    sureness=Sureness.LOW,
    choices=(Answer.INVALID_REQUEST, Answer.RESOURCE_NOT_FOUND),
)
LIST_REPLICATION_FINDINGS = Assumption(
    name="list_replication_findings",
    subject=Subject.USERS,
    question="List the replication findings on agents of a replicated instance.",
    documented="It lists what needs action, in pages of 100.",
    source=_api("ListReplicationFindings"),
    sureness=Sureness.HIGH,
    choices=(Answer.SUCCEEDS,),
)

# Contacts -----------------------------------------------------------------------------------------

ACCEPT_AFTER_CALLS: Assumption[int | None] = Assumption(
    name="accept_after_calls",
    subject=Subject.CONTACTS,
    question=(
        "How many times DescribeContact shows an offered contact before the agent has accepted it. "
        "0: accepted at once; None: never by itself."
    ),
    documented="It depends on the agent, and on whether the agent accepts automatically.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.HIGH,
    choices=(0, 2, None),
    binding=False,
)
ASSOCIATE_OFFERED_CONTACT = Assumption(
    name="associate_offered_contact",
    subject=Subject.CONTACTS,
    question="Offer a contact that is offered to a user who has not accepted it.",
    documented="Nothing.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.LOW,
    choices=(Answer.SUCCEEDS, Answer.INVALID_REQUEST),
)
ASSOCIATE_CONNECTED_CONTACT = Assumption(
    name="associate_connected_contact",
    subject=Subject.CONTACTS,
    question="Offer a contact that a user has accepted.",
    documented="Nothing.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.LOW,
    choices=(Answer.INVALID_REQUEST, Answer.SUCCEEDS),
)
ASSOCIATE_ENDED_CONTACT = Assumption(
    name="associate_ended_contact",
    subject=Subject.CONTACTS,
    question="Offer a contact that has ended.",
    documented="Nothing.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.LOW,
    choices=(Answer.INVALID_REQUEST, Answer.RESOURCE_NOT_FOUND),
)
ASSOCIATE_VOICE_CONTACT = Assumption(
    name="associate_voice_contact",
    subject=Subject.CONTACTS,
    question="Offer a voice contact. Customer-first callbacks are refused either way.",
    documented="Refused at first; named as supported since botocore 1.43.58.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.MEDIUM,
    choices=(Answer.SUCCEEDS, Answer.INVALID_REQUEST),
)
DESCRIBE_IN_OTHER_REGION = Assumption(
    name="describe_in_other_region",
    subject=Subject.CONTACTS,
    question="Describe a contact outside of its active Region.",
    documented="Nothing.",
    source=_api("DescribeContact"),
    sureness=Sureness.LOW,
    choices=(Answer.SUCCEEDS, Answer.RESOURCE_NOT_FOUND),
)
ASSOCIATE_IN_OTHER_REGION = Assumption(
    name="associate_in_other_region",
    subject=Subject.CONTACTS,
    question="Offer or transfer a contact outside of its active Region.",
    documented="It must be called in the active Region; no error is named.",
    source=_api("AssociateContactWithUser"),
    sureness=Sureness.LOW,
    choices=(Answer.RESOURCE_NOT_FOUND, Answer.INVALID_REQUEST),
)
TRANSFERRED_CONTACT = Assumption(
    name="transferred_contact",
    subject=Subject.CONTACTS,
    question="Which contact TransferContact answers with, and what becomes of the old one.",
    documented="A ContactId; whose it is, is not said.",
    source=_api("TransferContact"),
    sureness=Sureness.MEDIUM,
    choices=(
        TransferredContact.NEW_AND_OLD_ENDS,
        TransferredContact.NEW_AND_OLD_STAYS,
        TransferredContact.SAME,
    ),
)
TRANSFER_WITHOUT_TARGET = Assumption(
    name="transfer_without_target",
    subject=Subject.CONTACTS,
    question="Transfer a contact with neither a QueueId nor a UserId.",
    documented="Both are optional, and cannot be used together.",
    source=_api("TransferContact"),
    sureness=Sureness.LOW,
    choices=(Answer.INVALID_REQUEST, Answer.SUCCEEDS),
)
STOP_ENDED_CONTACT = Assumption(
    name="stop_ended_contact",
    subject=Subject.CONTACTS,
    question="Stop a contact that has ended.",
    documented="The operation models a ContactNotFoundException.",
    source=_api("StopContact"),
    sureness=Sureness.LOW,
    choices=(Answer.CONTACT_NOT_FOUND, Answer.INVALID_REQUEST, Answer.SUCCEEDS),
)
STOP_IN_OTHER_REGION = Assumption(
    name="stop_in_other_region",
    subject=Subject.CONTACTS,
    question="Stop a contact outside of its active Region.",
    documented="InvalidActiveRegionException.",
    source=_api("StopContact"),
    sureness=Sureness.HIGH,
    choices=(Answer.INVALID_ACTIVE_REGION,),
)
ENDED_CONTACT_VANISHES_AFTER: Assumption[float | None] = Assumption(
    name="ended_contact_vanishes_after",
    subject=Subject.CONTACTS,
    question=(
        "How many seconds after its end DescribeContact no longer finds a contact. None: it does."
    ),
    documented="24 months, as far as contact records are kept.",
    source=_api("DescribeContact"),
    sureness=Sureness.MEDIUM,
    choices=(None, 0.0),
)

# Quotas -------------------------------------------------------------------------------------------

THROTTLING_ERROR = Assumption(
    name="throttling_error",
    subject=Subject.QUOTAS,
    question="The error code of a request above the quota.",
    documented="ThrottlingException in the model; TooManyRequestsException on the page of quotas.",
    source=f"{_GUIDE}/amazon-connect-service-limits.html",
    sureness=Sureness.MEDIUM,
    choices=(ThrottlingError.THROTTLING, ThrottlingError.TOO_MANY_REQUESTS),
)
REQUESTS_AT_ONCE = Assumption(
    name="requests_at_once",
    subject=Subject.QUOTAS,
    question="How many requests of one operation are answered at once, after a pause.",
    documented="5, for each operation, account and Region; it can be raised.",
    source=f"{_GUIDE}/amazon-connect-service-limits.html",
    sureness=Sureness.HIGH,
    choices=(5,),
    binding=False,
)
REQUESTS_PER_SECOND = Assumption(
    name="requests_per_second",
    subject=Subject.QUOTAS,
    question="How many requests of one operation are answered in a second, in the long run.",
    documented="2, for each operation, account and Region; it can be raised.",
    source=f"{_GUIDE}/amazon-connect-service-limits.html",
    sureness=Sureness.HIGH,
    choices=(2.0,),
    binding=False,
)

# CloudFormation -----------------------------------------------------------------------------------

TEMPLATE_DURING_UPDATE = Assumption(
    name="template_during_update",
    subject=Subject.CLOUDFORMATION,
    question="Which template GetTemplate answers while an update is under way.",
    documented="Nothing.",
    source=f"{_CLOUDFORMATION}/APIReference/API_GetTemplate.html",
    sureness=Sureness.MEDIUM,
    choices=("new", "old"),
)
TEMPLATE_DURING_UPDATE_ROLLBACK = Assumption(
    name="template_during_update_rollback",
    subject=Subject.CLOUDFORMATION,
    question="Which template GetTemplate answers while an update is rolled back.",
    documented="Nothing; the CDK's notes say that it is the one the stack goes back to.",
    source="https://github.com/aws/aws-cdk/blob/main/docs/CLOUDFORMATION.md",
    sureness=Sureness.MEDIUM,
    choices=("old", "new"),
)
LAST_UPDATED_TIME_IN_ROLLBACK = Assumption(
    name="last_updated_time_in_rollback",
    subject=Subject.CLOUDFORMATION,
    question=(
        "Whether DescribeStacks keeps LastUpdatedTime, or CreationTime, from the begin of a "
        "deployment to the end of its rollback. The ledger takes it for the deployment's begin."
    ),
    documented="Nothing.",
    source=f"{_CLOUDFORMATION}/APIReference/API_Stack.html",
    sureness=Sureness.LOW,
    choices=("kept", "changed"),
)
LAST_OPERATIONS = Assumption(
    name="last_operations",
    subject=Subject.CLOUDFORMATION,
    question="Which operations DescribeStacks names in LastOperations while an update goes back.",
    documented="The latest operations of the stack, by type.",
    source=f"{_CLOUDFORMATION}/APIReference/API_Stack.html",
    sureness=Sureness.LOW,
    choices=("UPDATE_STACK,ROLLBACK", "UPDATE_STACK", "none"),
)
REMOVED_RESOURCE_IN_CLEANUP = Assumption(
    name="removed_resource_in_cleanup",
    subject=Subject.CLOUDFORMATION,
    question=(
        "The status that ListStackResources shows, while a stack cleans up, for a resource that "
        "its new template no longer has and that has not been asked to go yet."
    ),
    documented="Nothing.",
    source=f"{_CLOUDFORMATION}/APIReference/API_ListStackResources.html",
    sureness=Sureness.MEDIUM,
    choices=("complete", "DELETE_IN_PROGRESS"),
)
REQUEST_ID_ON_RETRY = Assumption(
    name="request_id_on_retry",
    subject=Subject.CLOUDFORMATION,
    question="Whether a failed update that is deployed again comes with the same RequestId.",
    documented="Nothing; it was seen to be the same.",
    source="https://github.com/aws/aws-cdk/issues/35957",
    sureness=Sureness.HIGH,
    choices=("same", "another"),
)
NEW_PHYSICAL_ID_WITHOUT_ROLLBACK = Assumption(
    name="new_physical_id_without_rollback",
    subject=Subject.CLOUDFORMATION,
    question="A custom resource answers an Update with a new physical ID, rollback disabled.",
    documented="Replacements are refused while rollback is disabled; custom resources not named.",
    source=f"{_CLOUDFORMATION}/UserGuide/stack-failure-options.html",
    sureness=Sureness.LOW,
    choices=("accepted", "refused"),
)
ROLLBACK_OF_REPLACEMENT = Assumption(
    name="rollback_of_replacement",
    subject=Subject.CLOUDFORMATION,
    question=(
        "The events of the rollback after a custom resource had answered an Update with a new "
        "physical ID, and another resource failed."
    ),
    documented="An Update back, then a Delete of the new ID; both kinds are seen in the field.",
    source=_EVENTS,
    sureness=Sureness.LOW,
    choices=("Update,Delete", "Delete"),
)
DELETE_OF_GIVEN_UP_CREATE = Assumption(
    name="delete_of_given_up_create",
    subject=Subject.CLOUDFORMATION,
    question=(
        "Which physical ID a Delete names after a Create that was never answered. A stack that "
        "gives up sends it itself."
    ),
    documented="Nothing; CloudFormation makes an ID up.",
    source=_EVENTS,
    sureness=Sureness.MEDIUM,
    choices=("made up", "none sent"),
)
REQUESTS_IN_FLIGHT = Assumption(
    name="requests_in_flight",
    subject=Subject.CLOUDFORMATION,
    question="What becomes of requests that are unanswered when another resource fails.",
    documented="Nothing.",
    source=_EVENTS,
    sureness=Sureness.MEDIUM,
    choices=("given up", "awaited"),
)
DELETED_RESOURCE_LISTED = Assumption(
    name="deleted_resource_listed",
    subject=Subject.CLOUDFORMATION,
    question="Whether ListStackResources still shows a resource that was deleted.",
    documented="For 90 days after a stack was deleted; of a single resource nothing is said.",
    source=f"{_CLOUDFORMATION}/APIReference/API_ListStackResources.html",
    sureness=Sureness.LOW,
    choices=("yes", "no"),
)
OLD_PROPERTIES_ON_RETRY = Assumption(
    name="old_properties_on_retry",
    subject=Subject.CLOUDFORMATION,
    question=(
        "What an Update names as the old properties after one that failed with rollback disabled."
    ),
    documented="Nothing.",
    source=_EVENTS,
    sureness=Sureness.LOW,
    choices=("last good", "attempted"),
)
FAILED_CREATE_ON_RETRY = Assumption(
    name="failed_create_on_retry",
    subject=Subject.CLOUDFORMATION,
    question=(
        "When an update deletes what was left CREATE_FAILED with rollback disabled: before it is "
        "created again, or after."
    ),
    documented="That it is deleted, but not when.",
    source=f"{_CLOUDFORMATION}/UserGuide/stack-failure-options.html",
    sureness=Sureness.LOW,
    choices=("Delete,Create", "Create,Delete"),
)
NESTED_STACK_ROLLS_BACK = Assumption(
    name="nested_stack_rolls_back",
    subject=Subject.CLOUDFORMATION,
    question="Whether a nested stack that fails goes back before its parent does.",
    documented="Nothing.",
    source=f"{_CLOUDFORMATION}/UserGuide/using-cfn-nested-stacks.html",
    sureness=Sureness.LOW,
    choices=("no", "yes"),
)

ASSUMPTIONS: tuple[Assumption[Any], ...] = tuple(
    each for each in list(globals().values()) if isinstance(each, Assumption)
)
"""All of them, in the order of this file."""
