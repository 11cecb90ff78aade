"""`tidemark bench fan-out`: telling many browsers the same, beside other servers and beside the physical limit."""
