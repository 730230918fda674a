"""The provider's grammar of identifiers, for the constructs and the emulation.

The provider's package is on nobody's path where the library is used, and should not get there: it
could hide another one of that name. So this module is a package as well, whose modules are those of
the provider's folder, and its ``identifiers`` is loaded under a name below this one. Neither that
module nor what it imports needs boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations import _provider_code

if TYPE_CHECKING:
    from connect_provider.identifiers import (
        ARN,
        GROUP_PARTITIONS,
        REGION,
        UUID,
        Identifier,
        Kind,
        arn,
        read,
    )
else:
    __path__ = [str(_provider_code.folder() / "connect_provider")]
    from connect_associations._grammar.identifiers import (
        ARN,
        GROUP_PARTITIONS,
        REGION,
        UUID,
        Identifier,
        Kind,
        arn,
        read,
    )

__all__ = ["ARN", "GROUP_PARTITIONS", "REGION", "UUID", "Identifier", "Kind", "arn", "read"]
