"""Contacts assigned to users."""
