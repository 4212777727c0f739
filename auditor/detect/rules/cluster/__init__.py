"""Many processes: ranks that leave the others, replicas that part, runs that stand still."""
