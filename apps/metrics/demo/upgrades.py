"""What the dependency bot proposes: packages of a repository's language, in versions that only rise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """`files`: what an upgrade changes. `packages`: name, GitHub repository and first version of each."""

    name: str
    files: tuple[str, ...]
    packages: tuple[tuple[str, str, int, int], ...]


ECOSYSTEMS = {
    "python": Ecosystem(
        "pip",
        ("requirements.txt", "requirements-dev.txt"),
        (
            ("requests", "psf/requests", 2, 28),
            ("pydantic", "pydantic/pydantic", 2, 1),
            ("django", "django/django", 4, 1),
            ("ruff", "astral-sh/ruff", 0, 1),
            ("pytest", "pytest-dev/pytest", 7, 2),
            ("sentry-sdk", "getsentry/sentry-python", 1, 14),
            ("sqlalchemy", "sqlalchemy/sqlalchemy", 2, 0),
            ("celery", "celery/celery", 5, 2),
            ("gunicorn", "benoitc/gunicorn", 20, 1),
            ("mypy", "python/mypy", 1, 2),
            ("cryptography", "pyca/cryptography", 39, 0),
        ),
    ),
    "typescript": Ecosystem(
        "npm_and_yarn",
        ("package.json", "package-lock.json"),
        (
            ("vite", "vitejs/vite", 4, 1),
            ("zod", "colinhacks/zod", 3, 20),
            ("react", "facebook/react", 18, 1),
            ("axios", "axios/axios", 1, 3),
            ("eslint", "eslint/eslint", 8, 36),
            ("typescript", "microsoft/TypeScript", 4, 9),
            ("vitest", "vitest-dev/vitest", 0, 30),
            ("prettier", "prettier/prettier", 2, 8),
            ("playwright", "microsoft/playwright", 1, 31),
            ("date-fns", "date-fns/date-fns", 2, 29),
        ),
    ),
    "go": Ecosystem(
        "go_modules",
        ("go.mod", "go.sum"),
        (
            ("google.golang.org/grpc", "grpc/grpc-go", 1, 53),
            ("golang.org/x/net", "golang/net", 0, 8),
            ("github.com/lib/pq", "lib/pq", 1, 10),
            ("github.com/stretchr/testify", "stretchr/testify", 1, 8),
            ("github.com/spf13/cobra", "spf13/cobra", 1, 6),
            ("go.uber.org/zap", "uber-go/zap", 1, 24),
            ("github.com/prometheus/client_golang", "prometheus/client_golang", 1, 14),
            ("github.com/rs/zerolog", "rs/zerolog", 1, 29),
        ),
    ),
    "kotlin": Ecosystem(
        "gradle",
        ("gradle/libs.versions.toml", "app/build.gradle.kts"),
        (
            ("com.squareup.okhttp3:okhttp", "square/okhttp", 4, 10),
            ("org.jetbrains.kotlinx:kotlinx-coroutines-core", "Kotlin/kotlinx.coroutines", 1, 6),
            ("com.squareup.retrofit2:retrofit", "square/retrofit", 2, 9),
            ("io.coil-kt:coil", "coil-kt/coil", 2, 2),
            ("com.google.dagger:hilt-android", "google/dagger", 2, 45),
            ("io.mockk:mockk", "mockk/mockk", 1, 13),
            ("org.jetbrains.kotlin.android", "JetBrains/kotlin", 1, 8),
        ),
    ),
    "terraform": Ecosystem(
        "terraform",
        (".terraform.lock.hcl", "versions.tf"),
        (
            ("hashicorp/aws", "hashicorp/terraform-provider-aws", 4, 55),
            ("hashicorp/kubernetes", "hashicorp/terraform-provider-kubernetes", 2, 18),
            ("hashicorp/helm", "hashicorp/terraform-provider-helm", 2, 9),
            ("cloudflare/cloudflare", "cloudflare/terraform-provider-cloudflare", 3, 34),
            ("grafana/grafana", "grafana/terraform-provider-grafana", 1, 35),
            ("hashicorp/random", "hashicorp/terraform-provider-random", 3, 4),
        ),
    ),
}
_STEPS_OF_A_MAJOR = 24


@dataclass(frozen=True, slots=True)
class Upgrade:
    """`is_dropped`: it is closed, since a later one goes further."""

    package: str
    before: str
    after: str
    branch: str
    body: str
    is_dropped: bool

    @property
    def title(self) -> str:
        return f"Bump {self.package} from {self.before} to {self.after}"


def upgrade(language: str, count: int) -> Upgrade:
    """The one that has `count` before it in its repository: each package in turn."""
    ecosystem = ECOSYSTEMS[language]
    step, which = divmod(count, len(ecosystem.packages))
    package, source, *first = ecosystem.packages[which]
    since = step - 1 if step and _is_dropped(step - 1, which) else step
    before, after = (_version(first[0], first[1], at) for at in (since, step + 1))
    home = f"https://github.com/{source}"
    return Upgrade(
        package=package,
        before=before,
        after=after,
        branch=f"dependabot/{ecosystem.name}/{package.replace(':', '-')}-{after}",
        body=f"Bumps [{package}]({home}) from {before} to {after}.\n\n- [Releases]({home}/releases)\n"
        f"- [Commits]({home}/compare/v{before}...v{after})\n\n---\n\n"
        "Comment `@dependabot rebase` to bring it up to date.",
        is_dropped=_is_dropped(step, which),
    )


def _is_dropped(step: int, which: int) -> bool:
    return (step + 2 * which) % 7 == 3


def _version(major: int, minor: int, step: int) -> str:
    """Two patches, then the next minor version, and sometimes a major one."""
    majors, left = divmod(step, _STEPS_OF_A_MAJOR)
    return f"{major + majors}.{(0 if majors else minor) + left // 3}.{left % 3}"
