"""What a pilot says is wrong, an edit that is to mend it, and the talks in which that is tried."""
