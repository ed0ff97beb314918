"""What commands do with a judge of documents."""
