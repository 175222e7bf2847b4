"""Sections of the page Rank: one file each."""
