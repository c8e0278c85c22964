"""What a reader sees of a verb: its progress, and the results that show themselves."""
