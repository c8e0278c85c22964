"""Tests in a real browser, and what they drive it with; a package, so that the name is ours."""
