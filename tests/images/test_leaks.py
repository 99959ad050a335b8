import pytest

from kataui.images.leaks import likely_secret, mask_text, masked, setting_leak, text_leaks

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
RANDOM = "q7Zp0Xv2Lr9TkB4mWc8YhJ3nFd6GsA1u"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYMENT_API_KEY", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("DB_PASSWORD", "hunter2"),
        ("MYSQL_ROOT_PASSWORD", '"s3cret pass"'),
        ("PGPASSWORD", "correct horse"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("X", "ghp_" + "a1B2" * 9),
        ("X", "-----BEGIN RSA PRIVATE KEY-----"),
        ("X", "-----BEGIN PRIVATE KEY-----"),
        ("AUTH", JWT),
        ("DATABASE_URL", "postgres://app:pa55word@db.example:5432/shop"),
        ("NPM_TOKEN", "0123456789abcdef0123456789abcdef"),
        ("clientSecret", "abc-def-ghi"),
        ("spring.datasource.password", "geheim"),
        ("STORAGE_ACCOUNT_KEY", "bm90IGEgc2VjcmV0IQ=="),
        ("SOMETHING", RANDOM),
    ],
)
def test_secret_is_recognised(name: str, value: str) -> None:
    assert likely_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LANG", "C.UTF-8"),
        ("PYTHON_SHA256", "2a8bb8b2c2b5d3b6f8c54f24e6f2e5b1f3a7e7f1a5a8f7f0e9d8c7b6a5948372"),
        ("PYTHON_VERSION", "3.12.7"),
        ("PYTHON_GET_PIP_URL", "https://github.com/pypa/get-pip/raw/66d8a0f637083e/public/get.py"),
        ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305"),
        ("GPG_KEYS", "A48449044AAD5C5D 4AC1 B8B3"),
        ("JAVA_HOME", "/opt/java/openjdk"),
        ("JAVA_OPTS", "-Xms512m -Xmx2g -Djava.security.egd=file:/dev/./urandom"),
        ("NODE_VERSION", "22.11.0"),
        ("YARN_KEY", "6A010C5166006599AA17F08146C2130DFD2497F5"),
        ("NGINX_VERSION", "1.27.2-1~bookworm"),
        ("GIT_COMMIT", "e83c5163316f89bfbde7d9ab23ca2e25604af290"),
        ("org.opencontainers.image.revision", "e83c5163316f89bfbde7d9ab23ca2e25604af290"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("DB_PASSWORD", "$DB_PASS"),
        ("DB_PASSWORD", ""),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("TOKEN_TTL", "3600"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("SECRET_NAME", "shop-database"),
        ("PUBLIC_KEY", "MIIBIjANBgkqhkiG9w0BAQEFAAOC"),
        ("PWD", "/srv/app"),
        ("KEYBOARD", "de-latin1"),
        ("COMPASS", "north-by-northwest"),
        ("MONKEY", "chimpanzee"),
        ("HOMEPAGE", "https://user@example.com/some/path"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("MAIN_CLASS", "org.springframework.boot.loader.launch.JarLauncher"),
        ("LS_COLORS", "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33"),
        ("CFLAGS", "-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2"),
    ],
)
def test_harmless_setting_is_left_alone(name: str, value: str) -> None:
    assert not likely_secret(name, value)


def test_only_the_first_four_characters_are_shown() -> None:
    leak = setting_leak("PAYMENT_API_KEY", "sk_live_4eC39HqLyjWDarjtT1zdp7dc")

    assert leak is not None
    assert leak.shown == "PAYMENT_API_KEY=sk_l••••••••"


@pytest.mark.parametrize(
    ("value", "shown"), [("hunter2", "hu"), ("abcd", "a"), ("ab\x1b[1mzz", "ab")]
)
def test_short_values_are_hidden_more(value: str, shown: str) -> None:
    assert masked(value).startswith(shown + "•")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("|1 NPM_TOKEN=npmsecret12 /bin/sh -c npm ci # buildkit", "NPM_TOKEN=npm"),
        ("ENV API_KEY=abcdefghijkl", "API_KEY=abcd"),
        ("RUN curl -u me --password hunter22 https://x.example", "password=hu"),
        ("RUN mysql --password=hunter22", "password=hu"),
        ("RUN git clone https://me:ghtoken123@git.example/x.git", "http"),
        ("RUN echo AKIAIOSFODNN7EXAMPLE > /root/k", "AKIA"),
        ('ARG DB_PASSWORD="top secret"', "DB_PASSWORD=top"),
    ],
)
def test_secret_in_a_command_is_found(line: str, shown: str) -> None:
    (leak,) = text_leaks(line)

    assert leak.shown.startswith(shown)
    assert leak.shown.endswith("•")


@pytest.mark.parametrize(
    "line",
    [
        'RUN /bin/sh -c set -eux; savedAptMark="$(apt-mark showmanual)"; wget -O x.asc',
        'RUN export GNUPGHOME="$(mktemp -d)"; gpg --recv-keys 7169605F62C751356D054A26A821E680E5FA',
        "RUN TOKEN=$(cat /run/secrets/token) make",
        "RUN --mount=type=secret,id=npm_token npm ci",
        "ENV PYTHON_SHA256=2a8bb8b2c2b5d3b6f8c54f24e6f2e5b1f3a7e7f1a5a8f7f0e9d8c7b6a5948372",
        "COPY file:4bd5bc2cd24a4b1c5eb5ee6f06b2b8c3c0b8c77c1e6a1d27d3c7c9c5fd04f1a0 in /secrets",
        "LABEL maintainer=NGINX Docker Maintainers <docker-maint@nginx.com>",
        "RUN useradd --password '' app",
    ],
)
def test_harmless_command_is_left_alone(line: str) -> None:
    assert list(text_leaks(line)) == []


def test_enormous_texts_are_scanned_in_bounded_time() -> None:
    for text in ("a://" * 40_000, "A=" * 90_000, "eyJ" + "a" * 200_000, "password " * 20_000):
        list(text_leaks(text))


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        ("RUN DB_PASSWORD=hunter2hunter2 ./setup --fast", "hunter2hunter2"),
        ("ENV PAYMENT_API_KEY=sk_live_0123456789abcdefghijklmn", "0123456789abcdefghijklmn"),
        ("RUN curl -H ghp_0123456789abcdefghijABCDEFGHIJ456789 x", "abcdefghijABCDEFGHIJ"),
    ],
)
def test_a_shown_command_has_no_secret_left(command: str, secret: str) -> None:
    shown = mask_text(command)

    assert secret not in shown
    assert shown.partition(" ")[0] == command.partition(" ")[0]


def test_a_harmless_command_is_shown_as_it_is() -> None:
    command = "RUN PATH=/usr/bin pip install --no-cache-dir -r requirements.txt"

    assert mask_text(command) == command
