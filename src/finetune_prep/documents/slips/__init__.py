"""Items that a person wrote and the grammar does not read: a slip in an id, a list without ids, a table."""
