"""What several rules read off a run: the course of the loss, the cost of guessing, what a step did to a weight."""
