"""`verify`: what is assumed about Amazon Connect, tried out on a real instance.

An *experiment* settles assumptions of ``connect_associations.testing.assumptions``. What it
changes is noted in the *journal* before it is changed, so that it can be put back: at once, after
Ctrl-C, or by a second run after a crash.
"""
