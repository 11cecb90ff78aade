"""The Streamlit app: the pipelines, and prices of housing; it reads the API and nothing else."""
