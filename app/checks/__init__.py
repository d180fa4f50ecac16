"""What a person checks once for many photos: static detections, and photos that count as empty."""
