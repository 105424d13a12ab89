"""What a rule found wrong with one subject, from open to resolved; every change is a row."""
