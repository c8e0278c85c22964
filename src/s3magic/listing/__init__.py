"""Room: listing."""
