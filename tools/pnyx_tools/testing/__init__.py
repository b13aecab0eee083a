"""Public fakes and fixtures, for our tests and those of plugin authors.

`fake_reader` is a chain in memory, `anvil` a real local node, `deploy` puts governors and our contracts on it,
`provider` is a JSON-RPC endpoint that misbehaves on demand, `openai_server` a model server; `serving` is what servers
are built on.
"""
