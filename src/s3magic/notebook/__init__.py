"""Room: notebook."""
