"""Sign in and out, join and reset links, one's own account, and the people of this installation."""
