"""Pages that are printed and signed by hand."""
