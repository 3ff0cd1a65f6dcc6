"""What tells other programs how to open a run: dataset cards for Hugging Face `datasets`, and Croissant metadata."""
