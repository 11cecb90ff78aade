"""Deploying to an AWS account, looking whether it can be done, and destroying."""
