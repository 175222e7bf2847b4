"""What the page Learn shows: tiny examples, single steps, geometry. Every number comes from the engine itself."""
