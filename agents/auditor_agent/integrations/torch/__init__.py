"""PyTorch: where a loop is hooked, and what its manifest says. Importing it does not import PyTorch."""
