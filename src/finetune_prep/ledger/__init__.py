"""The ledger: every answer that was ever paid for, kept before anyone looks at it."""
