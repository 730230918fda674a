"""Claims compared with Connect on a schedule: what is different, and what may be corrected."""
