"""What a verb's sources mean: objects, versions, files, rows of a frame; and where they go."""
