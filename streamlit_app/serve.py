"""`python -m streamlit_app.serve`: serve the Streamlit app as its container does, where people sign in if told so."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from tidemark import settings
from tidemark.openid import SCOPES, discovery_url
from tidemark.settings import ExplorerSettings

APP = Path(__file__).resolve().parent / "served.py"
ADDRESS = "0.0.0.0"  # noqa: S104  # in a container, whose group lets the load balancer in
PORT = 8501


def secrets(found: ExplorerSettings) -> str:
    """Streamlit's secrets, as TOML, by which people sign in."""
    auth = {
        "redirect_uri": f"{found.public_url.rstrip('/')}/oauth2callback",
        "cookie_secret": found.cookie_secret,
        "client_id": found.oidc_client_id,
        "client_secret": found.oidc_client_secret,
        "server_metadata_url": discovery_url(found.oidc_issuer),
    }
    # PKCE is demanded of Streamlit, which else uses it only where the provider says that it knows it: Cognito does not.
    how = {"scope": SCOPES, "code_challenge_method": "S256"}
    sections = {"auth": auth, "auth.client_kwargs": how}
    return "\n".join(
        line
        for name, values in sections.items()
        # a TOML basic string is written as JSON's is
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), "")
    )


def options(found: ExplorerSettings) -> list[str]:
    """Streamlit's options: where it listens, and the one address that its sockets may be opened from."""
    chosen = ["--server.address", ADDRESS, "--server.port", str(PORT)]
    if found.public_url:
        address = urlsplit(found.public_url)
        host = address.hostname or ""
        port = address.port or (443 if address.scheme == "https" else 80)
        chosen += ["--server.baseUrlPath", found.public_path.strip("/")]
        chosen += ["--server.enableCORS", "true", "--server.corsAllowedOrigins", found.public_origin]
        chosen += ["--server.enableXsrfProtection", "true", "--server.allowedHosts", host]
        chosen += ["--browser.serverAddress", host, "--browser.serverPort", str(port)]
    return chosen


def main(more: list[str]) -> None:
    """Become Streamlit. `more`: options of its own, which go before ours."""
    found = settings.load(ExplorerSettings)
    chosen = options(found)
    if found.offers_sign_in():
        with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as file:  # made for its owner alone
            file.write(secrets(found))
        chosen += ["--secrets.files", file.name]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), *chosen, *more]
    os.execv(command[0], command)  # noqa: S606  # a list of our own


if __name__ == "__main__":
    main(sys.argv[1:])
