"""What labels teach: vectors and class numbers in, weights and probabilities out."""
