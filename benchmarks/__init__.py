"""The benchmark: s3magic beside what a user would pick instead, on one server, in one run."""
