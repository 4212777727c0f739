"""What goes into the model and into its loss: batches, inputs, labels, outputs and their shapes."""
