"""S3 in a Jupyter notebook, as natural as a DataFrame."""
