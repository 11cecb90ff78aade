"""What Tidemark is measured against."""
