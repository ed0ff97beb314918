"""What conversations are to be about: the space, one scenario of it, and how scenarios are drawn."""
