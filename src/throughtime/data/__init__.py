"""Tables in; regular series, windows and batches out."""
