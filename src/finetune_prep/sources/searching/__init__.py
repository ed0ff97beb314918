"""One module per search provider, behind one small interface: see `choosing`."""
