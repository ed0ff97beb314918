"""What stands behind the door, one module per way of getting an answer."""
