"""Every reason that the verifier can give is told in both languages, and nothing else is."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.verification import CheckName, Outcome
from api.assertions.vocabulary import CheckResult
from api.cli.build_verifier import verifier_modules
from api.errors import ApiError
from api.pdf.verification import PdfCheckName

REASON = re.compile(r"(?!utf-|latin-)[a-z]+(-[a-z0-9]+)+")
FUNCTIONS = {"failed", "not_performed", "not_supported", "PdfCheck", "PdfSignature"}
ARGUMENTS = {"audience-not-given", "audience-mismatch", "nonce-not-given", "nonce-mismatch"}
"""Made from the name of a check (`claim_checks.check_equal`)."""
EXCEPTIONS = {
    # Raised at the caller, under exit code 4, and no finding about an assertion.
    *("service-fault", "input-unusable", "roots-unusable", "crl-unusable"),
    *("seen-file-unusable", "seen-file-busy", "disclosure-unknown"),
    # Of issuing, in the same module as the verifier's.
    *("claims-incomplete", "claims-unwritable"),
    *("keys-exist", "keys-password-weak", "keys-password-wrong"),
    *("signing-key-expired", "signing-key-unusable"),
}

MODULES = sorted(m for m in verifier_modules() if m.startswith(("api.assertions", "api.pdf")))


def source(module: str) -> ast.AST:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    return ast.parse(Path(spec.origin).read_text("utf-8"))


def reasons_in(tree: ast.AST) -> set[str]:
    """Constants that are given, or returned for what is given, as a reason."""
    found: set[str] = set()
    for node in ast.walk(tree):
        values: list[ast.AST] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in FUNCTIONS:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Return) and node.value is not None:
            values = [node.value]
        elif isinstance(node, ast.Assign):
            values = [node.value] if "reason" in ast.unparse(node.targets[0]) else []
        found |= {constant for value in values for constant in constants_of(value)}
    return found


def constants_of(node: ast.AST) -> Iterator[str]:
    """Yield what looks like a reason, but not what is given to another call."""
    if isinstance(node, ast.Call):
        return
    if isinstance(node, ast.Constant) and REASON.fullmatch(str(node.value)):
        yield str(node.value)
    for child in ast.iter_child_nodes(node):
        yield from constants_of(child)


def codes_in(module: str) -> set[str]:
    loaded = import_module(module)
    errors = [v for v in vars(loaded).values() if isinstance(v, type) and issubclass(v, ApiError)]
    further = {getattr(error, "code_if_revoked", error.code) for error in errors}
    return further | {error.code for error in errors}


def every_reason() -> set[str]:
    found = {"revoked", "suspended", "expired"} | ARGUMENTS
    for module in MODULES:
        found |= reasons_in(source(module)) | codes_in(module)
    return found - EXCEPTIONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_reasons_and_no_others(language: str) -> None:
    told = set(load_messages(language)["reason"])
    reasons = every_reason()
    assert "chain-revoked" in reasons
    assert reasons - told == set()
    assert told - reasons == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_checks_results_and_outcomes(language: str) -> None:
    messages = load_messages(language)
    assert set(messages["check"]) == {*CheckName, *PdfCheckName}
    assert set(messages["result"]) == set(CheckResult)
    assert set(messages["outcome"]) == set(Outcome)


def test_both_languages_say_the_same_things() -> None:
    vietnamese, english = (load_messages(language) for language in LANGUAGES)
    assert {kind: set(words) for kind, words in vietnamese.items()} == {
        kind: set(words) for kind, words in english.items()
    }
    for kind, words in english.items():
        assert all(words.values())
        same = {code for code, text in words.items() if vietnamese[kind][code] == text}
        assert same == set()
