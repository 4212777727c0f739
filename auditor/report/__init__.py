"""Reports: one HTML file that opens anywhere, offline."""
