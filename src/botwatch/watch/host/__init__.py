"""The machine: one file for each thing that is read of it."""
