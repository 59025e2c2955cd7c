"""A stand-in for the hub that has models, and that refuses them in the ways the hub does."""

import json
import re
import threading
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
#: What the hub says of repositories of these names: status, X-Error-Code, on files only or not.
REFUSALS = {
    "org/gated": (403, "GatedRepo", True),
    "org/gated-nobody": (401, "GatedRepo", True),
    "org/forbidden": (403, None, False),
    "org/private": (401, "RepoNotFound", False),
    "org/missing": (404, "RepoNotFound", False),
    "org/broken": (500, None, False),
}


class Handler(BaseHTTPRequestHandler):
    """Answers for ``models``: folders by the name of their repository."""

    models: dict

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code):
        headers = {"X_Error_Code": code} if code else {}
        self.answer(json.dumps({"error": f"status {status}"}).encode(), status, **headers)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        info = re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|refs)(?:/([^/]+))?)?", path
        )
        if not file and not info:
            return self.refuse(404, None)
        repo = (file or info)[1]
        if repo in REFUSALS and (file or not REFUSALS[repo][2]):
            return self.refuse(*REFUSALS[repo][:2])
        revision = file[2] if file else info[3]
        if revision not in (None, "main", "v1", COMMIT):
            return self.refuse(404, "RevisionNotFound")
        folder = self.models.get(repo)
        return self.file(folder, file[3]) if file else self.info(repo, folder, info[2])

    def info(self, repo, folder, kind):
        files = sorted(p for p in folder.rglob("*") if p.is_file()) if folder else []
        names = [p.relative_to(folder).as_posix() for p in files]
        content = {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}
        if kind == "tree":
            content = [
                {"type": "file", "path": n, "size": p.stat().st_size, "oid": etag(p)}
                for n, p in zip(names, files, strict=True)
            ]
        self.answer(json.dumps(content).encode(), Content_Type="application/json")

    def file(self, folder, name):
        path = folder / name if folder else None
        if path is None or not path.is_file():
            return self.refuse(404, "EntryNotFound")
        return self.answer(path.read_bytes(), ETag=f'"{etag(path)}"', X_Repo_Commit=COMMIT)


def etag(path):
    return sha1(path.read_bytes()).hexdigest()


@contextmanager
def running_model_hub(models):
    """Run a hub that has these models; gives its address."""
    handler = type("BoundHandler", (Handler,), {"models": models})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
