"""The command ``connect-associations``: compares what a stack declares with Connect.

It reads stacks and calls Connect with the provider's own modules, so both read a declaration the
same way. These are not a package of the distribution, because Lambda needs them in a folder of
their own. That folder is added to the path here, before anything else is imported.
"""

from __future__ import annotations

import sys

from connect_associations import _provider_code

_FOLDER = str(_provider_code.folder())
if _FOLDER not in sys.path:
    sys.path.append(_FOLDER)
