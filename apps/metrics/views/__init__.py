"""access -> query -> render."""
