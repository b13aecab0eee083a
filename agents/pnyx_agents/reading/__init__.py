"""Draws what `pnyx_policies.reading` wrote, in a terminal, as Markdown, as one HTML file: the same words in all three.

Each escapes every piece, whoever wrote it. The structure is the report's alone.
"""
