"""`python -m infra.images`: write each image's list of contents."""

from infra.images import ALL, ROOT, listed

for image in ALL:
    (ROOT / f"{image.file}.dockerignore").write_text(listed(image))
