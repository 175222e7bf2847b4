"""The Streamlit side: what the pages share. Nothing here computes."""
