"""Tests of rulesets: TOML cases, each a proposal in few words or a saved record, and what has to be decided.

sketch   a proposal in few words -> facts, findings, opinions
cases    files of cases, and running them
"""
