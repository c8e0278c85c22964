"""What objects hold, as values: read out of them, and written into them."""
