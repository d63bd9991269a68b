"""`chinhchu serve`: the service over HTTP."""

import argparse
import ipaddress
import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from api.cli.keys_secrets import add_secrets, first_line
from api.cli.output import EXIT_PASSED, print_json
from api.errors import ApiError

EPILOG = """\
before the first start:
  chinhchu models fetch
  chinhchu keys init                       the signing key, in HOME/keys
  cp CSCA_CERTIFICATES HOME/trust/         whom Passive Authentication trusts

examples:
  chinhchu serve                           on this machine only, http://127.0.0.1:8080
  chinhchu serve --password-file /run/credentials/keys-password
  chinhchu serve --host 0.0.0.0            needs HOME/relying-parties.toml, and TLS before it

HOME is --home, else $CHINHCHU_HOME, else ~/.chinhchu. The password opens the key in a file, the PIN
the one in a token; where no file with it is given, $CHINHCHU_KEYS_PASSWORD and $CHINHCHU_KEYS_PIN
have them, which other processes of the same user can read. HOME/server.toml says by which address
relying parties reach the status lists.
"""


class AddressUnusableError(ApiError):
    """The server cannot listen there."""

    code = "address-unusable"
    retryable = True


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "serve",
        help="run the service (HTTP API)",
        description="Run the service: sessions, decisions, assertions; schema at /openapi.json.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--home", type=Path, help="folder with keys/, trust/ and the database")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for any (%(default)s)")
    add_secrets(parser)
    parser.add_argument(
        "--json", action="store_true", help="print where it listens as JSON, once it does"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check that everything is there, then serve until interrupted."""
    import uvicorn

    from api.app import create_app
    from api.composition import build_service
    from api.settings import Settings, SettingsInvalidError

    settings = Settings.from_environment(args.home)
    if args.password_file is not None:
        settings = replace(settings, keys_password=first_line(args.password_file))
    if args.pin_file is not None:
        settings = replace(settings, keys_pin=first_line(args.pin_file))
    if settings.relying_parties() is None and not _is_loopback(args.host):
        raise SettingsInvalidError(
            f"without {settings.home / 'relying-parties.toml'} anyone who reaches the port could "
            "open sessions; listen on 127.0.0.1 or say who may"
        )
    service = build_service(settings)
    if not service.anchors.certificates:
        print(
            f"chinhchu: no CSCA certificate in {settings.trust}: every session will end "
            "INDETERMINATE (csca-unknown)",
            file=sys.stderr,
        )
    if service.pipeline.passive_lack:
        print(f"chinhchu: {service.pipeline.passive_lack}", file=sys.stderr)
    listener = _listen(args.host, args.port)
    host = f"[{args.host}]" if ":" in args.host else args.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    print(f"chinhchu: serving on {url}; Ctrl-C stops it", file=sys.stderr)
    if args.json:
        print_json({"url": url})
    # The paths hold session ids: no access log.
    config = uvicorn.Config(create_app(service), access_log=False, log_level="warning")
    with suppress(KeyboardInterrupt):  # how an operator stops it
        uvicorn.Server(config).run(sockets=[listener])
    return EXIT_PASSED


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else "no such address or port"
        raise AddressUnusableError(f"cannot listen on {host} port {port}: {reason}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
