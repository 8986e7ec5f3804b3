"""What kind of file a path names (docs/metrics.md, "Categories of files")."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class FileCategory(StrEnum):
    SOURCE = "source"
    TEST = "test"
    DOCS = "docs"
    CONFIG = "config"
    BUILD = "build"
    GENERATED = "generated"
    ASSET = "asset"
    OTHER = "other"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Folders say what is in them, at any depth. All names are compared in lower case.
_GENERATED_FOLDERS = _words(
    "vendor vendored third_party third-party node_modules __snapshots__ __generated__ generated dist .yarn"
)
_BUILD_FOLDERS = _words(
    ".github .circleci .gitlab .buildkite .tekton .teamcity .azure-pipelines build-aux cmake buildsrc"
)
_TEST_FOLDERS = _words(
    "test tests testing __tests__ __mocks__ e2e cypress fixtures testdata test_data test-data androidtest"
)
# Elsewhere than in Ruby a folder of this name may hold specifications.
_SPEC_FOLDERS = _words("spec specs")
_DOCS_FOLDERS = _words("doc docs documentation man website wiki adr rfcs")
_CONFIG_FOLDERS = _words("config configs conf settings .vscode .idea .devcontainer helm charts k8s terraform ansible")

_GENERATED_NAMES = _words(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb cargo.lock poetry.lock"
    " uv.lock pdm.lock pipfile.lock gemfile.lock composer.lock go.sum mix.lock pubspec.lock podfile.lock"
    " flake.lock package.resolved gradle.lockfile packages.lock.json .terraform.lock.hcl deno.lock"
)
_BUILD_NAMES = _words(
    "makefile gnumakefile cmakelists.txt dockerfile containerfile jenkinsfile rakefile justfile vagrantfile"
    " procfile build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradlew gradlew.bat"
    " gradle.properties pom.xml build.xml build.sbt build meson.build meson_options.txt configure.ac"
    " makefile.am sconstruct wscript build.bazel workspace.bazel module.bazel workspace package.json"
    " pyproject.toml setup.py setup.cfg manifest.in pipfile gemfile composer.json cargo.toml go.mod go.work"
    " mix.exs pubspec.yaml podfile package.swift directory.build.props tox.ini noxfile.py lerna.json"
    " turbo.json nx.json .gitlab-ci.yml .travis.yml .cirrus.yml appveyor.yml azure-pipelines.yml"
    " bitbucket-pipelines.yml docker-compose.yml docker-compose.yaml compose.yml compose.yaml codecov.yml"
    " .pre-commit-config.yaml renovate.json .dockerignore"
)

_SOURCE_SUFFIXES = _words(
    "c h cc cpp cxx hh hpp hxx m mm cs fs vb java kt kts scala groovy clj cljs cljc go rs swift zig nim d"
    " dart py pyi pyx rb erb php pl pm lua r jl ex exs erl hrl hs ml mli elm js jsx mjs cjs ts tsx mts cts vue"
    " svelte astro html htm xhtml css scss sass less styl sql graphql gql proto thrift sh bash zsh fish ps1"
    " bat cmd asm s f f90 pas v sv vhd vhdl sol move cu cl glsl hlsl wgsl metal ipynb jinja j2 hbs mustache"
    " liquid haml slim pug twig razor cshtml aspx jsp ftl ui xaml storyboard xib qml tcl el lisp scm rkt awk"
    " nix"
)
_DOCS_SUFFIXES = _words("md mdx markdown rst adoc asciidoc txt tex org pod rtf pdf docx")
_CONFIG_SUFFIXES = _words(
    "json json5 jsonc yaml yml toml ini cfg conf config properties env xml plist hcl tf tfvars editorconfig cue dhall"
)
_BUILD_SUFFIXES = _words(
    "mk mak cmake gradle bzl bazel csproj vcxproj fsproj sln props targets gemspec podspec nuspec spec"
)
_ASSET_SUFFIXES = _words(
    "png jpg jpeg gif svg webp avif ico icns bmp tif tiff psd sketch fig ttf otf woff woff2 eot mp3 mp4 ogg"
    " wav webm mov po pot mo xlf xliff arb strings resx csv tsv parquet"
)

_GENERATED_FILE = re.compile(
    r"\.(min\.(js|css)|map|snap|lock|pb\.go|pb\.cc|pb\.h|g\.dart|freezed\.dart|designer\.cs|generated\.\w+|gen\.\w+)$"
    r"|_pb2(_grpc)?\.pyi?$|^zz_generated\."
)
_BUILD_FILE = re.compile(r"^(dockerfile|containerfile|jenkinsfile|makefile)\.|\.dockerfile$|^requirements.*\.(txt|in)$")
_TEST_FILE = re.compile(r"^(test_.*|tests?|conftest)\.\w+$|[-_.](tests?|spec|specs|cy|e2e)\.\w+$|\.(feature|bats)$")
_TEST_CLASS = re.compile(r"[a-z0-9](Tests?|TestCase|Spec|IT)\.(java|kt|kts|scala|groovy|cs|swift|php|m|mm)$")
_DOCS_FILE = re.compile(
    r"^(readme|licen[cs]e|copying|copyright|notice|authors|contributors|maintainers|changelog|changes|news|codeowners)\b"
)
_CONFIG_FILE = re.compile(r"^\.|[a-z]rc$|\.config\.\w+$")


@lru_cache(maxsize=4096)
def category_of(path: str) -> FileCategory:
    """The category of a file by its path in the repository, with `/` between folders.

    The first that fits, in this order: generated, build, test, asset, docs, config, source, other.
    """
    exact = path.rpartition("/")[2]
    *folders, name = path.lower().split("/")
    stem, _, suffix = name.rpartition(".")
    within = frozenset(folders)
    code = bool(stem) and suffix in _SOURCE_SUFFIXES
    prose = bool(stem) and suffix in _DOCS_SUFFIXES

    if within & _GENERATED_FOLDERS or name in _GENERATED_NAMES or _GENERATED_FILE.search(name):
        return FileCategory.GENERATED
    # Templates and guides in .github are prose about the project, not its build.
    if name in _BUILD_NAMES or _BUILD_FILE.search(name) or (within & _BUILD_FOLDERS and not prose):
        return FileCategory.BUILD
    if stem and suffix in _BUILD_SUFFIXES:
        return FileCategory.BUILD
    if within & _TEST_FOLDERS or (code and within & _SPEC_FOLDERS) or _TEST_CLASS.search(exact):
        return FileCategory.TEST
    if not prose and _TEST_FILE.search(name):
        return FileCategory.TEST
    if stem and suffix in _ASSET_SUFFIXES:
        return FileCategory.ASSET
    if code:
        return FileCategory.CONFIG if _CONFIG_FILE.search(name) else FileCategory.SOURCE
    if prose or _DOCS_FILE.search(name) or within & _DOCS_FOLDERS:
        return FileCategory.DOCS
    if suffix in _CONFIG_SUFFIXES or _CONFIG_FILE.search(name) or within & _CONFIG_FOLDERS:
        return FileCategory.CONFIG
    return FileCategory.OTHER
