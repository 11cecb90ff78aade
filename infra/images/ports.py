"""The ports that containers listen on."""

LIVE = 8000
EXPLORER = 8501
MLFLOW = 5000
PREFECT = 4200
RUNNER = 8080
