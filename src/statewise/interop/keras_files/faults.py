"""What is said of files that are read, beside errors."""


class FileWarning(UserWarning):
    """Something of a file isn't in the model that was made of it; the message says what."""
