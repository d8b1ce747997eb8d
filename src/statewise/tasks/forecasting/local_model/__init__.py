"""A series forecast by small networks of its own."""
