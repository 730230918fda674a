"""Amazon Connect's API, called at the pace of its quota."""
