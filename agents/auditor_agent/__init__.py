"""The agent: a light guest in a training job."""

__version__ = "0.1.0"
