"""What looks like a key, and each key that was handed out, is masked; the rest of a text stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from gnosis_ray import redaction
from gnosis_ray.redaction import MASK, never_show, redacted

SECRET = "s3cr3tV4lue-9f8e7d"  # noqa: S105 - made up


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.example.com/v3/quotes/AAPL?limit=2&apiKey={SECRET}",
        f"https://api.example.com/x?api_key={SECRET}&symbol=AAPL",
        f"https://api.example.com/x?access_token={SECRET}#part",
        f"https://someone:{SECRET}@api.example.com/x",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: {SECRET}",
        f"Authorization: Basic {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}', 'Accept': 'application/json'}}",
        f'{{"authorization": "Bearer {SECRET}"}}',
        f"[(b'Authorization', b'Bearer {SECRET}'), (b'Accept', b'*/*')]",
        f"APCA-API-SECRET-KEY: {SECRET}",
        f"{{'APCA-API-KEY-ID': '{SECRET}'}}",
        f"X-API-Key={SECRET}",
        f"invalid token: bearer {SECRET}",
        f"Cookie: session={SECRET}",
        f"busy, apiKey={SECRET}, try again",
        f"{{'api_key': '{SECRET}'}}",
        f'{{"access_token": "{SECRET}"}}',
        f"secret: {SECRET}",
        f"token: Bearer {SECRET}",
        f"GET https://bucket.example/part?X-Amz-Expires=60&X-Amz-Signature={SECRET}",
        f"GET https://bucket.example/part?X-Amz-Credential={SECRET}%2F20260712%2Fus-east-1",
        f"GET https://bucket.example/part?AWSAccessKeyId={SECRET}&Expires=60",
        f"AWS4-HMAC-SHA256 Credential={SECRET}/20260712/s3/aws4_request, SignedHeaders=host, Signature=0123456789ab",
        f"Authorization: AWS4-HMAC-SHA256 Credential={SECRET}/20260712/s3, SignedHeaders=host, Signature=0123456789ab",
    ],
)
def test_what_looks_like_a_key_is_masked(text: str) -> None:
    assert SECRET not in redacted(text)
    assert MASK in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://cdn.cboe.com/api/global/delayed_quotes/options/_SPX.json: 404",
        "Expected Float64 in data.options.bid, found String",
        "https://api.example.com/v1/markets/options/chains?symbol=AAPL&expiration=2026-07-17&greeks=true: time-out",
        "No key 'tradier'. Set TRADIER_TOKEN or TRADIER_API_KEY, or write the line tradier: \"...\" into keys.yaml",
        "the token was refused (401)",
        "wrong key: AAPL is none of chains, bars",
    ],
)
def test_a_text_without_keys_stays_as_it_is(text: str) -> None:
    assert redacted(text) == text


def test_credentials_of_an_object_store_in_the_environment_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tok/en+1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert redacted("ASIAEXAMPLEEXAMPLE with tok/en+1 in us-east-1") == f"{MASK} with {MASK} in us-east-1"


def test_a_signature_of_a_request_is_masked_whole() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=ABC/20260712/s3/aws4_request, SignedHeaders=host, Signature=0123456789abcdef"
    assert redacted(f"denied: {signed}") == f"denied: AWS4-HMAC-SHA256 {MASK}"
    assert "0123456789abcdef" not in redacted(f"Authorization: {signed}")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40), st.text(), st.text())
def test_a_key_that_was_handed_out_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    never_show(SecretStr(secret))

    assert secret not in redacted(f"{before}{secret}{after}")


def test_a_short_word_is_no_key_to_mask_in_every_text() -> None:
    never_show(SecretStr("token"))
    assert redacted("the token was refused") == "the token was refused"


def test_redacting_twice_changes_nothing() -> None:
    once = redacted(f"https://a.example/x?apiKey={SECRET} Authorization: Bearer {SECRET}")
    assert redacted(once) == once


@pytest.fixture(autouse=True)
def _forget_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_handed_out", set())
