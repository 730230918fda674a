"""What a deployment would do: from the synthesized template, the ledger and Connect.

``assembly`` reads what the CDK has synthesized, ``template`` computes what CloudFormation would
make of it, ``declared`` reads the declarations by the provider's own rules, ``forecast`` lays
them beside the claims and the members, and ``report`` shows the outcome.
"""
