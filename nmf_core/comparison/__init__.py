"""The second opinion: other methods, other solvers, other runs, corrupted data."""
