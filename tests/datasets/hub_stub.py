"""A small stand-in for the Hugging Face hub: one process, files in memory, no LFS."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Hub:
    """Repositories by name: their files, and the commits made."""

    def __init__(self):
        self.files, self.private, self.commits, self.refuse = {}, {}, [], False

    def revision(self, repo):
        content = json.dumps(sorted((k, len(v)) for k, v in self.files[repo].items()))
        return hashlib.sha1(f"{content}{len(self.commits)}".encode()).hexdigest()


def entry(path, content):
    return {
        "type": "file",
        "oid": hashlib.sha1(content).hexdigest(),
        "size": len(content),
        "path": path,
    }


def tree(files, place, deep):
    """Folders and files below a place, as the hub lists them."""
    folders = {p[: p.index("/", n)] for p in files for n in range(len(p)) if "/" in p[n:]}
    listed = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": f} for f in sorted(folders)]
    listed += [entry(p, content) for p, content in sorted(files.items())]
    below = [e for e in listed if e["path"].startswith(place)]
    return [e for e in below if deep or "/" not in e["path"][len(place) :]]


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    @property
    def address(self):
        return f"http://{self.headers['Host']}"

    def log_message(self, *_):
        pass

    def answer(self, content=None, status=200, raw=None, headers=()):
        body = json.dumps(content).encode() if raw is None else raw
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def path_parts(self):
        path = unquote(urlsplit(self.path).path)
        found = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(/.*)?", path)
        return path, (found[1], found[2] or "") if found else (None, "")

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, (repo, rest) = self.path_parts()
        if self.hub.refuse:
            return self.answer({"error": "no rights"}, 403)
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            wanted = json.loads(data)
            name = f"{wanted['organization']}/{wanted['name']}"
            self.hub.files.setdefault(name, {})
            private = wanted.get("private") or wanted.get("visibility") == "private"
            self.hub.private.setdefault(name, private)
            return self.answer({"url": f"{self.address}/datasets/{name}", "name": name})
        if rest.startswith("/preupload/"):
            files = json.loads(data)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files
            ]
            return self.answer({"files": modes})
        if rest.startswith("/commit/"):
            return self.commit(repo, data)
        if rest.startswith("/paths-info/"):
            wanted = json.loads(data)["paths"] if data.startswith(b"{") else []
            files = self.hub.files[repo]
            return self.answer([entry(p, files[p]) for p in wanted if p in files])
        return self.answer({"error": path}, 404)

    def commit(self, repo, data):
        lines = [json.loads(line) for line in data.splitlines() if line.strip()]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.hub.files[repo][value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "deletedFile":
                del self.hub.files[repo][value["path"]]
        self.hub.commits.append(next(x["value"]["summary"] for x in lines if x["key"] == "header"))
        revision = self.hub.revision(repo)
        url = f"{self.address}/datasets/{repo}/commit/{revision}"
        self.answer({"success": True, "commitOid": revision, "commitUrl": url})

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, (repo, rest) = self.path_parts()
        found = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.*)", path)
        if found:
            return self.file(*found.groups())
        if path == "/api/whoami-v2":
            return self.answer({"name": "tester", "type": "user", "orgs": []})
        if repo not in self.hub.files:
            return self.answer({"error": "Repository not found"}, 404)
        files = self.hub.files[repo]
        if rest.startswith("/tree/"):
            place = rest.split("/", 3)[3] if rest.count("/") > 2 else ""
            deep = "recursive=true" in self.path.lower()
            return self.answer(tree(files, f"{place}/" if place else "", deep))
        siblings = [{"rfilename": p} for p in sorted(files)]
        revision = self.hub.revision(repo)
        return self.answer({"id": repo, "sha": revision, "siblings": siblings, "tags": []})

    def file(self, repo, path):
        files = self.hub.files.get(repo, {})
        if path not in files:
            headers = [("X-Error-Code", "EntryNotFound")]
            return self.answer({"error": "Entry not found"}, 404, headers=headers)
        content = files[path]
        headers = [
            ("ETag", f'"{hashlib.sha1(content).hexdigest()}"'),
            ("X-Repo-Commit", self.hub.revision(repo)),
        ]
        return self.answer(raw=content, headers=headers)


@contextmanager
def running_hub():
    """Run a hub; gives it and its address."""
    hub = Hub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
