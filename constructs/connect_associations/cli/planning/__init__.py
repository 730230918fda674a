"""What a deployment would do: from the synthesized template, the ledger and Connect.

``assembly`` finds what the CDK has synthesized, ``template`` computes what CloudFormation would
make of a value in it, ``properties`` reads declarations by the provider's own rules, and ``reader``
does so for whole stacks. ``forecaster`` compares the ``declared`` with claims and members, asks
``moves`` and ``contacts`` who moves by the provider's rules, and makes a ``forecast``, which
``report`` shows.
"""
