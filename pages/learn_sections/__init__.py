"""The chapters of the page Learn, one file each."""
