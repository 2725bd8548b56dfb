#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves the bare repositories of a folder over HTTP by `git http-backend`. Prints its address and goes on."""
import http.server
import os
import pathlib
import subprocess
import sys
import urllib.parse


class GitHandler(http.server.BaseHTTPRequestHandler):
    """One request, handed to git's CGI program."""
    protocol_version = "HTTP/1.1"

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        length = self.headers.get("content-length")
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(iter(self.chunk, b""))
        else:
            body = self.rfile.read(int(length or 0))
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.server.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": urllib.parse.unquote(url.path), "QUERY_STRING": url.query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""), "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve

    def chunk(self):
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def log_message(self, *_):
        pass


def make_server(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHandler)
    server.folder = pathlib.Path(folder)
    return server


if __name__ == "__main__":
    with make_server(sys.argv[1]) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
