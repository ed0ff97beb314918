"""domain-frameworks.md: one module per kind of item that is more than a heading with fields."""
