"""A chat endpoint on this machine that answers as it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(content, finish_reason="stop"):
    """The body of a chat completion."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
        "usage": usage,
    }


class Reply:
    """One answer: a status, a body (JSON, text or bytes), headers."""

    def __init__(self, body="", status=200, headers=(), *, hang=False, cut=False):
        self.status, self.headers, self.hang, self.cut = status, dict(headers), hang, cut
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


def says(text, **options):
    return Reply(completion(text, **options))


class ChatServer:
    """What it will reply, in this order (the last one again and again), and what it was asked."""

    def __init__(self):
        self.replies, self.requests, self.over, self.address = [], [], threading.Event(), ""

    @property
    def base_url(self):
        return f"{self.address}/v1"

    def next_reply(self):
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer

    def log_message(self, *_):
        pass

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.chat.requests.append((self.path, dict(self.headers), json.loads(data)))
        reply = self.chat.next_reply()
        if reply.hang:
            self.chat.over.wait(20)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) * (2 if reply.cut else 1)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = True


@contextmanager
def running_chat():
    """Run a chat endpoint."""
    chat = ChatServer()
    handler = type("BoundHandler", (_Handler,), {"chat": chat})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    chat.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield chat
    finally:
        chat.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
