"""Networks: photos and crops in, boxes and vectors out. Arrays only, no rows."""
