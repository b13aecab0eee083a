"""What touches the world: chain, model, keys, files, plugins. Each outside thing behind one narrow seam."""
