"""The tabs of the page Explore."""
