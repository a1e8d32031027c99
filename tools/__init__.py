"""What the scripts in bin/ are made of."""
