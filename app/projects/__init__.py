"""The list of projects, a project's overview, its settings and members."""
