"""A sample of plugins for Pnyx: one of each kind, as small as its seam allows. docs/plugins.md shows them."""
