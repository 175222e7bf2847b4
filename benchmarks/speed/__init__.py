"""Speed of the engine against its peers: same data, same start, same targets, interleaved in one run."""
