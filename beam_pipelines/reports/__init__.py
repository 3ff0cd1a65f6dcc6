"""What is shown of a run: tables of counts, sample rows, pictures, and why nothing came of it."""
