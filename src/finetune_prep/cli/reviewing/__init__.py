"""The two faces of a review: keys in a terminal, and a page that is served."""
