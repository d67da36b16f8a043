"""Reading pictures of any size: where text stands, what it says, and how its words make lines and blocks."""
