"""A plan as a picture: its places, its drawing, and the page around it."""
