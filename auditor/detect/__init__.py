"""Detection: rules that read step batches in order and say what is wrong, and nothing else."""
