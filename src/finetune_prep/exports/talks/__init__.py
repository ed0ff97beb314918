"""The conversations of a report: each as people read it, and which stand in the page itself."""
