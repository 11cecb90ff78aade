"""The local cloud: the deployment's own stack and processes, on this machine."""
