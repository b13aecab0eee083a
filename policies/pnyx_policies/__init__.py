"""What we think of what the chain says: checks, rules, decisions, verification. Pure: no I/O, no keys, no model, no
clock.
"""
