"""Text: a recurrent network learns to tell the next token of one, and writes some of its own."""
