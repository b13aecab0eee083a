"""Faults on purpose, repeatable by a seed, and a judge that says what they did.

    schedule    which fault comes when: counted, never timed
    proxy       an RPC endpoint that fails and lies;  models: a model server that does
    killing     runs any of our programs and kills it inside a chosen window;  launching: starts it so
    forks       programs as forks of one process that has all modules in memory
    world       a chain, governors, and an agent's folder
    reorgs      reorganisations that drop, move or duplicate what happened
    oracle      looks at the chain and the bundles, and counts what must be zero
    play        one agent through many proposals under one kind of fault

Nothing here needs a hook in what it tests.
"""
