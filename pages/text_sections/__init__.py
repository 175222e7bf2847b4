"""The sections of the page Text: each reads what was chosen, asks the lens, and shows."""
