"""What a sync does: both sides, their differences, and the steps that end them."""
