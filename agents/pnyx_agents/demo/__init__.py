"""The whole job on a local chain, through the code that operators run."""
