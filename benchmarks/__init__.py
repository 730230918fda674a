"""What this library costs, and what ``AwsCustomResource`` costs for the same, in one run.

``python -m benchmarks`` measures all and writes ``docs/benchmarks.md``; with ``--only`` it measures
a part and prints it. A module for each kind of measurement returns sections of figures;
:mod:`benchmarks.report` shows them.
"""
