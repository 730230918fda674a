"""Claims compared with Connect on a schedule: what is different, and what may be put right."""
