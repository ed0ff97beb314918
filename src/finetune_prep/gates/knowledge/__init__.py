"""Gates of phases 1 and 2: domain-frameworks.md, its sources and its anchors."""
