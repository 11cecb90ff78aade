"""Adapters: the ports of `tidemark/ports.py` on DynamoDB, Redis, S3 and, for tests, in memory."""
