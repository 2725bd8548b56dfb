# SPDX-License-Identifier: Apache-2.0
"""Serves files over HTTP to builds that fetch."""
import contextlib
import http.server
import threading


class FileServer:
    """Serves bytes by path, and remembers what was asked for."""

    def __init__(self):
        self.files, self.asked = {}, []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked.append(self.path)
                body = owner.find(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body if body and self.command == "GET" else b"")

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = None

    def find(self, path):
        if self.folder and (self.folder / path.lstrip("/")).is_file():
            return (self.folder / path.lstrip("/")).read_bytes()
        return self.files.get(path)

    @contextlib.contextmanager
    def running(self):
        with self.server:
            threading.Thread(target=self.server.serve_forever, daemon=True).start()
            yield self
            self.server.shutdown()
