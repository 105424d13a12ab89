"""Long lists written by the engine itself, block after block: rows that no Python loop touches."""
