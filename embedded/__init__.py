"""AWS on this machine: what the demo and the tests deploy to with the real CDK CLI.

``python -m embedded up`` starts it for a person, ``python -m embedded demo`` shows the example on
it, and :class:`embedded.environment.EmbeddedEnvironment` is for programs.
"""
