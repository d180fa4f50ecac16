"""Photos as arrays: decode, EXIF, thumbnails, crops. Pure: bytes in, arrays out, and never a word of torch."""
