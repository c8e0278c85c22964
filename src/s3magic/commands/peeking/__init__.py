"""What a few kilobytes of an object tell of it, format by format."""
