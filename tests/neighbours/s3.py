"""As much of S3 as reading a table needs, over a folder: list, get, head. Nobody signs anything
here that is looked at.

Source: Amazon S3 API reference, ListObjectsV2 and GetObject.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.neighbours.serving import Answer, LoopbackServer, Request

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class S3(LoopbackServer):
    """Each folder in `directory` is a bucket; addressed by path. While `broken`, it answers 403."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.broken = False
        self.lists = 0

    def environment(self) -> dict[str, str]:
        """What delta-rs must find in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "sa-east-1",
        }

    def answer(self, request: Request) -> Answer:
        if self.broken:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "list-type" in query:
            self.lists += 1
            return self._list(unquote(parts.path).strip("/"), query)
        return self._get(self.directory / unquote(parts.path).lstrip("/"), request)

    def _list(self, bucket: str, query: dict[str, str]) -> Answer:
        root, prefix = self.directory / bucket, query.get("prefix", "")
        after, delimiter = query.get("start-after", ""), query.get("delimiter")
        keys = sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())
        keys = [key for key in keys if key.startswith(prefix) and key > after]
        folders = set()
        if delimiter:
            folders = {key[: key.index(delimiter, len(prefix)) + 1] for key in keys
                       if delimiter in key[len(prefix) :]}  # fmt: skip
            keys = [key for key in keys if delimiter not in key[len(prefix) :]]
        content = "".join(_entry(root / key, key) for key in keys)
        content += "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders
        )
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{content}</ListBucketResult>"
        return Answer(200, body.encode(), "application/xml")

    def _get(self, file: Path, request: Request) -> Answer:
        if not file.is_file():
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        content = file.read_bytes()
        headers = {"Last-Modified": _http_date(file), "ETag": _tag(file)}
        found = _RANGE.fullmatch(request.headers.get("Range", ""))
        if not found:
            return Answer(200, content, headers=headers)
        first = int(found[1]) if found[1] else max(0, len(content) - int(found[2]))
        last = int(found[2]) if found[1] and found[2] else len(content) - 1
        last = min(last, len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return Answer(206, content[first : last + 1], headers=headers)


def _entry(file: Path, key: str) -> str:
    at = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{escape(key)}</Key><Size>{file.stat().st_size}</Size>"
        f"<LastModified>{at}</LastModified><ETag>{escape(_tag(file))}</ETag></Contents>"
    )


def _tag(file: Path) -> str:
    return f'"{file.stat().st_mtime_ns:x}"'


def _http_date(file: Path) -> str:
    at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")
