"""What a run says of its judge: read from its rows, one by one."""
