"""The tabs of the page Compare, one file each."""
