"""The explorer of `%s3browse`, parted by who acts."""
