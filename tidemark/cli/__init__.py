"""The `tidemark` command. A command parses, makes one call, and says what came of it."""
