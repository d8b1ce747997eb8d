"""Several processes that train together: who they are, how they meet, who is lost."""
