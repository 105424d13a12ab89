"""What must follow what: each thing that had to be followed is paired with what followed it."""
