"""One module per verb of the hub; no vendor library, no input or output of their own."""
