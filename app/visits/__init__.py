"""Independent visits: what came when to which camera, how many of them, and what people counted themselves."""
