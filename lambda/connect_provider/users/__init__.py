"""Users of an instance by their names."""
