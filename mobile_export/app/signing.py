"""Signing the APK, with the user's key or with a debug key that is made once."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from mobile_export.app.tools import Tools, call
from mobile_export.cache import cache_dir

_PASSWORD = "android"  # of the debug key, as everywhere: it protects nothing


@dataclass(frozen=True)
class Key:
    """A signing key: a key store, the alias in it, and where apksigner finds the password ("pass:…" or "env:…")."""

    store: Path
    alias: str | None
    password: str


def debug_key(tools: Tools) -> Key:
    """The debug key of this user, made on first use. RSA, because its signatures don't depend on chance."""
    store = cache_dir() / "debug.p12"
    if not store.is_file():
        store.parent.mkdir(parents=True, exist_ok=True)
        temporary = store.with_name(f"debug.{secrets.token_hex(4)}.p12")
        call(
            [
                tools.keytool,
                "-genkeypair",
                "-keystore",
                temporary,
                "-storetype",
                "PKCS12",
                "-storepass",
                _PASSWORD,
                "-alias",
                "debug",
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-validity",
                "10950",
                "-dname",
                "CN=Debug key of pocket-ticket",
            ],
            doing="making the debug key",
        )
        try:
            os.link(temporary, store)  # fails if another process was faster: then that one's key counts
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return Key(store, "debug", f"pass:{_PASSWORD}")


def sign(tools: Tools, unsigned: Path, signed: Path, key: Key, min_sdk: int) -> None:
    """Signs with the schemes v2 and v3 (every Android that the app supports knows v2, so v1 is left out)."""
    alias = ["--ks-key-alias", key.alias] if key.alias else []
    call(
        [
            tools.apksigner,
            "sign",
            "--ks",
            key.store,
            *alias,
            "--ks-pass",
            key.password,
            "--min-sdk-version",
            str(min_sdk),
            "--v1-signing-enabled",
            "false",
            "--v2-signing-enabled",
            "true",
            "--v3-signing-enabled",
            "true",
            "--out",
            signed,
            unsigned,
        ],
        doing="signing the app",
    )
    signed.with_name(signed.name + ".idsig").unlink(missing_ok=True)
