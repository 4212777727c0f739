"""TensorFlow loops of one's own: where they are hooked. Importing it does not import TensorFlow."""
