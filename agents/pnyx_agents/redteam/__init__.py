"""Hostile proposals, measured: pairs of a clean and an attacked proposal, put through the whole review.

suite      classes of attacks and honest proposals, from data files -> cases
planting   where an attacker's words stand
trial      one case before the rulesets: what the models say, what the rules decide, what was found
report     what that comes to, class by class
"""
