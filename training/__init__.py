"""Training of the models that serving loads. Runs in an environment of its own, with TensorFlow."""
