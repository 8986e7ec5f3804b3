"""What kind of file a path names."""

from __future__ import annotations

import pytest

from apps.metrics.calculations import FileCategory, category_of

CASES = {
    FileCategory.SOURCE: [
        "src/qt/bitcoinamountfield.cpp",
        "apps/metrics/models.py",
        "web/src/components/Button.tsx",
        "styles/main.scss",
        "db/schema.sql",
        "docs/conf.py",
        "src/config/parser.go",
        "lib/history.js",
        "lib/crc.c",
        "app/security.py",
        "src/contest.py",
        "src/latest.ts",
        "src/qt/forms/optionsdialog.ui",
        "scripts/deploy.sh",
    ],
    FileCategory.TEST: [
        "tests/test_sync.py",
        "src/test/util_tests.cpp",
        "apps/metrics/tests.py",
        "conftest.py",
        "pkg/server_test.go",
        "web/Button.test.tsx",
        "web/button.spec.ts",
        "spec/models/user_spec.rb",
        "spec/factories.rb",
        "src/main/FooTest.java",
        "src/UserTests.cs",
        "cypress/e2e/login.cy.js",
        "features/login.feature",
        "tests/fixtures/logo.png",
        "src/__tests__/a.js",
    ],
    FileCategory.DOCS: [
        "README.md",
        "README",
        "LICENSE",
        "LICENSE-MIT",
        "COPYING",
        "docs/index.rst",
        "doc/man/bitcoin.1",
        "CHANGELOG.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".github/CODEOWNERS.md",
        "design/protocol-spec.md",
        "notes.txt",
    ],
    FileCategory.CONFIG: [
        "config/settings.yaml",
        ".gitignore",
        ".env.example",
        ".eslintrc.js",
        "tsconfig.json",
        "web/vite.config.ts",
        "deploy/helm/values.yaml",
        "infra/main.tf",
        "conf/nginx.tpl",
        "spec/openapi.yaml",
        ".vimrc",
    ],
    FileCategory.BUILD: [
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "Dockerfile",
        "docker/Dockerfile.dev",
        "Makefile",
        "src/Makefile.am",
        "CMakeLists.txt",
        "package.json",
        "pyproject.toml",
        "requirements-dev.txt",
        "requirements.in",
        "go.mod",
        "build.gradle.kts",
        "app/App.csproj",
        "docker-compose.yml",
    ],
    FileCategory.GENERATED: [
        "package-lock.json",
        "web/yarn.lock",
        "poetry.lock",
        "go.sum",
        "static/app.min.js",
        "static/app.js.map",
        "api/v1/service.pb.go",
        "api/service_pb2.py",
        "api/service_pb2_grpc.py",
        "vendor/github.com/x/y.go",
        "src/__snapshots__/a.test.js.snap",
        "web/dist/index.html",
        "lib/user.g.dart",
    ],
    FileCategory.ASSET: [
        "static/logo.svg",
        "src/qt/locale/bitcoin_de.xlf",
        "locale/de/LC_MESSAGES/django.po",
        "fonts/inter.woff2",
        "data/countries.csv",
    ],
    FileCategory.OTHER: ["contrib/thing", "data/blob.bin", ""],
}


@pytest.mark.parametrize(("path", "category"), [(path, kind) for kind, paths in CASES.items() for path in paths])
def test_it_knows_the_category_of_a_file_by_its_path(path, category):
    assert category_of(path) is category


def test_it_has_a_case_for_every_category():
    assert CASES.keys() == set(FileCategory)
