"""What visualisation blocks share: colours, palettes, label texts, the bridge to the drawing library."""
