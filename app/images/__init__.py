"""Pixels: thumbnails, previews and crops, to members only."""
