"""A review for people: one report made of a dossier, for a terminal, a page or a file to draw. Pure.

lead        what would happen, whether something hidden was found, what was decided: one line
doing       money, power, code; then every call, and what was looked up beside them
telling     the text against the calls
judging     findings, opinions, the decision, the rules
unknown     what could not be known
"""
