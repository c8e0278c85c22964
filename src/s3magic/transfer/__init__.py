"""Room: transfer."""
