"""The command ``connect-associations``: what a stack declares beside what Connect holds.

It reads stacks and calls Connect with the provider's own modules, so that it means by a declaration
what the provider means. They are no package of the distribution, because Lambda wants them in a
folder of their own; that folder is put on the path here, before anything else is imported.
"""

from __future__ import annotations

import sys

from connect_associations import _provider_code

_FOLDER = str(_provider_code.folder())
if _FOLDER not in sys.path:
    sys.path.append(_FOLDER)
