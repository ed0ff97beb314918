"""How long rows are to a tokenizer, what of them is trained, and rows cut into shorter ones."""
