"""How a text is written, in numbers."""
