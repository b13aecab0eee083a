"""The signer: a process of its own that holds the key, and nothing that could be talked into misusing it.

    client --(bundle, nonce, fees)--> service --> notary --> claims    does the bundle hold together?
           through a door                  |        |         witness   what does the chain say?
           (socket, TLS)                   |        |         policy    is it what the rules give? then build it
                                           |        |         limits    is it affordable?
                                           |        |         memory    what was signed, what was spent
                                           |        +-------> keys      signs what policy built: a keystore, KMS ...
                                           |                  envelope  is that what was asked to be signed?
                                           +--> refusals   what was refused, and why

It imports contracts, policies and what reads a chain over plain JSON-RPC; no model, no plugin, no web3, no durable
engine. It never signs bytes that somebody hands it.
"""
