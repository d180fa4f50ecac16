"""What can go wrong when rows are chosen."""


class NotEnough(ValueError):
    """More rows were asked for than are left to choose from."""
