"""THE tables of the method: documents, phases in order, gates, and rules. Pure data; everything else reads it."""
