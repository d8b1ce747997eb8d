"""The numbers of every step of a recurrence, and heat maps of them."""
