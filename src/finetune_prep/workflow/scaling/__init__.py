"""A run of thousands: what must hold before it begins, what it will take, and what is said of it."""
