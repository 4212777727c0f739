"""One module per framework; each is imported only when its framework is there."""
