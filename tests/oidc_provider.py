"""An OpenID Connect provider on a free port: Authlib's, with a sign-in page, discovery, required PKCE and signed tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "studio", "a secret of client and provider"
PAGE = """<!doctype html><html lang="en"><title>Company sign-in</title><h1>Company sign-in</h1><form method="post">
<label>Name <input name="name"></label><button name="answer" value="yes">Allow</button>
<button name="answer" value="no">Refuse</button></form></html>"""


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/sign-in/oidc/callback/")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code: str
    user: dict[str, Any]
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Token(TokenMixin):  # type: ignore[misc]
    user: dict[str, Any]
    scope: str

    def check_client(self, client: Client) -> bool:
        return True

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return 600

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class Provider:
    """``people`` has the claims of each person, by the name they enter. ``requests`` are the parameters of sign-ins."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, str]] = []
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.key = RSAKey.generate_key(2048, parameters={"kid": "test"})
        self.app = Flask(__name__)
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.authorization = AuthorizationServer(
            self.app, query_client=lambda name: Client() if name == CLIENT_ID else None, save_token=self.save_token
        )
        extensions = [OpenIdConnect(self), CodeChallenge(required=True)]
        self.authorization.register_grant(grant_of(self), extensions)
        protect = ResourceProtector()
        protect.register_token_validator(validator_of(self))
        self.app.add_url_rule("/.well-known/openid-configuration", view_func=self.discovery)
        self.app.add_url_rule(
            "/jwks", view_func=lambda: jsonify(keys=[self.key.as_dict(private=False)]), endpoint="jwks"
        )
        self.app.add_url_rule("/authorize", view_func=self.authorize, methods=["GET", "POST"])
        self.app.add_url_rule("/token", view_func=self.authorization.create_token_response, methods=["POST"])
        self.app.add_url_rule("/userinfo", view_func=protect("openid")(self.userinfo), endpoint="userinfo")

    def save_token(self, token: dict[str, Any], asked: Any) -> None:
        self.tokens[token["access_token"]] = Token(asked.user, token["scope"])

    def discovery(self) -> Any:
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            userinfo_endpoint=f"{self.issuer}/userinfo",
            jwks_uri=f"{self.issuer}/jwks",
            response_types_supported=["code"],
            token_endpoint_auth_methods_supported=["client_secret_basic"],
            code_challenge_methods_supported=["S256"],
        )

    def authorize(self) -> Any:
        if request.method == "GET":
            self.requests.append(request.args.to_dict())
            return PAGE
        person = self.people.get(request.form["name"]) if request.form["answer"] == "yes" else None
        grant = self.authorization.get_consent_grant(end_user=person)
        return self.authorization.create_authorization_response(request=None, grant_user=person, grant=grant)

    def userinfo(self) -> Any:
        token = self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        return jsonify(token.user)


class OpenIdConnect(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=False)
        self.provider = provider

    def exists_nonce(self, nonce: str, asked: Any) -> bool:
        return any(code.nonce == nonce for code in self.provider.codes.values())

    def get_jwt_config(self, grant: Any, client: Any = None) -> dict[str, Any]:
        return {"key": self.provider.key, "alg": "RS256", "iss": self.provider.issuer, "exp": 600}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo(**user)


def grant_of(provider: Provider) -> type:
    class Grant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, asked: Any) -> None:
            sent = asked.payload.data
            provider.codes[code] = Code(
                code,
                asked.user,
                asked.payload.redirect_uri,
                asked.payload.scope,
                sent.get("nonce"),
                sent["code_challenge"],
                sent.get("code_challenge_method", "plain"),
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return authorization_code.user

    return Grant


def validator_of(provider: Provider) -> BearerTokenValidator:
    class Validator(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> Token | None:
            return provider.tokens.get(token_string)

    return Validator()


@contextmanager
def oidc_provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, name="OpenID Connect provider", daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        thread.join(5)
