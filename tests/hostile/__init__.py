"""What is sent, named or stored to do harm: a table of attempts each, and what must become of them."""
