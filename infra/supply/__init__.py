"""What Tidemark is made of: what is locked, under which licences, and whether it is known to be vulnerable."""
