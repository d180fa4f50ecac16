"""The web server: clicks become rows, rows become pages. No torch."""
