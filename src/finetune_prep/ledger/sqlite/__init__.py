"""The ledger as one SQLite file in WAL mode: a thread that reads, a thread that writes, and what is asked of them."""
