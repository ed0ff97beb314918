"""Readers of foreign formats. They run in a process of their own, with little time and memory and no keys: see `child`."""
