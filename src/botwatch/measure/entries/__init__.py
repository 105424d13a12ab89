"""The entries of the catalogue, by topic. A new measure is one entry here and nothing else."""
