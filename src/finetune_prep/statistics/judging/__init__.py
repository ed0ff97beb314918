"""What is known of a judge without people's labels: how steady it is, and how far another judge agrees with it."""
