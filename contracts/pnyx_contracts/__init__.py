"""The typed Python side of what is on chain: pure, no I/O, no keys, no clock."""
