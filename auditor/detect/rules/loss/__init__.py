"""The course of the loss: spikes, divergence, bouncing, nothing learnt, and what held-out data say."""
