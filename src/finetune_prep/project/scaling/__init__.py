"""What is kept of a run that goes on until so many rows are accepted."""
