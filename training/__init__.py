"""Training of the models that serving loads. What needs TensorFlow runs in an environment of its own."""
