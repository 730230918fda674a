"""Users in traffic distribution groups."""
