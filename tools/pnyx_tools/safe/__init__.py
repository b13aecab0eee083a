"""Votes and other acts that the owners of a Safe sign: nothing here has any power over it."""
