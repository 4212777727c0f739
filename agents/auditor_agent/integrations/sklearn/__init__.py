"""scikit-learn's MLPs: where fits are hooked, and what their manifest says. Importing it imports nothing else."""
