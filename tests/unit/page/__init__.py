"""What can be said of the page's files without a browser."""
