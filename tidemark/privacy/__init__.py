"""What is personal, under which names it is kept, and how it is given back and erased."""
