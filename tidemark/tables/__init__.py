"""Tables as users bring them: files and folders in any form that DuckDB reads, S3, the live lake.

What can be read is read as it was meant; what cannot is refused in a sentence that names what and where (`csv_text`,
`csv_files`, `parquet_files`, `differing`); what would not fit is not begun (`room`). Each is binned once into what
`tidemark.cubes` counts.
"""
