"""From tensors to twelve numbers each."""
