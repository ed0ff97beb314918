"""Texts of documents as a person gives, changes and takes them back."""
