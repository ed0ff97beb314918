"""What talks of several models with the same users say of the models."""
