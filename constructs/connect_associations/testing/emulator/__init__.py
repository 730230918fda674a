"""AWS and Amazon Connect on this machine, for the CDK CLI.

``connect-associations emulator`` starts it for a person; :class:`.environment.Emulator` is for
programs. The AWS part is ministack, a program with a virtual environment of its own.
"""
