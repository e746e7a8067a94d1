"""The loops over time, fast. Nothing above `ops` imports from here."""
