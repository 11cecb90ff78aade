"""The Lambdas, one folder each. A handler parses, makes one call into `tidemark/` and maps the answer."""
