"""The one place that holds the version; the wheel and the docs read it from here."""

__version__ = "0.2.0"
