"""What files of verdicts, labels and conversations say, whoever wrote them. Needs no project."""
