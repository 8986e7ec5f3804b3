"""Webhook signatures."""

from __future__ import annotations

import pytest

from apps.integrations.github.signature import sign, verify


def test_it_signs_as_githubs_documentation_works_out():
    """https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"Hello, World!", "It's a Secret to Everybody") == signature
    assert verify(b"Hello, World!", signature, ["It's a Secret to Everybody"])


def test_either_secret_is_good_while_they_are_rotated():
    assert verify(b"body", sign(b"body", "new"), ["old", "new"])
    assert verify(b"body", sign(b"body", "old"), ["old", "new"])


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "sha256=ü"])
def test_it_refuses_anything_else(signature):
    assert not verify(b"body", signature, ["secret"])


def test_a_changed_body_is_refused():
    assert not verify(b"body ", sign(b"body", "secret"), ["secret"])


def test_an_empty_secret_never_matches():
    assert not verify(b"body", sign(b"body", ""), [""])
    assert not verify(b"body", sign(b"body", ""), [])
