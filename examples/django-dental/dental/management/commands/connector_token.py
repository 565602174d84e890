"""Makes the token with which this application asks the connector for SMS, and the connector's file that knows it."""
import hashlib
import os
import secrets

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        file = settings.CONNECTOR_TOKEN_FILE
        if file.exists():
            return
        token = secrets.token_urlsafe(32)
        digest = hashlib.sha256(token.encode()).hexdigest()
        _write(file.with_name("connector.tokens"), f"sms:{digest} dental\n")
        _write(file, f"{token}\n")


def _write(file, text: str) -> None:
    """For its owner alone: the connector refuses a file that others can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
