"""The table as it comes: any file that holds one, as a frame of text, and what its text says."""
