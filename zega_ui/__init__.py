"""What the pages share: the frame, the writer, and the pieces every page is made of. Streamlit only here."""
