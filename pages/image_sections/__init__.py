"""Sections of the page Images, one file each."""
